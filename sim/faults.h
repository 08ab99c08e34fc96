#pragma once
// The named faults: the rows of the chaos matrix that the false world commits on purpose, alone, in pairs and by threes.
// docs/chaos.md is made from this table.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sim {

/// G: what a rail, its network and its bank do. C: what happens to our own machine.
enum class Row : std::uint8_t { G1, G2, G3, G4, G5, G6, G7, G8, G9, G10, C1, C2, C3, C4, C5, C6, C7 };
constexpr std::size_t rows_max = 17;

struct NamedFault {
  Row row;
  std::string_view id;
  std::string_view name;
  std::string_view injected;   ///< how
  std::string_view holds;      ///< what must hold
};
extern const std::array<NamedFault, rows_max> named_faults;

class FaultSet {
 public:
  constexpr FaultSet() = default;
  static constexpr FaultSet all() { return FaultSet((1u << rows_max) - 1); }
  /// `G3,C1`; `all`; `none`. Nothing if a name is not in the table.
  static std::optional<FaultSet> parse(std::string_view text);
  std::string text() const;

  constexpr bool has(Row row) const { return (bits_ >> static_cast<unsigned>(row) & 1) != 0; }
  constexpr FaultSet with(Row row) const { return FaultSet(bits_ | 1u << static_cast<unsigned>(row)); }
  constexpr FaultSet and_also(FaultSet other) const { return FaultSet(bits_ & other.bits_); }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool is_all() const { return *this == all(); }
  static constexpr FaultSet from_bits(std::uint32_t bits) { return FaultSet(bits & ((1u << rows_max) - 1)); }
  constexpr bool operator==(const FaultSet&) const = default;

 private:
  explicit constexpr FaultSet(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

/// The table as markdown, between the marks of docs/chaos.md.
std::string fault_table();

}  // namespace sim
