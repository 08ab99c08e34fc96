#pragma once
// The account directory: (tenant, account id) -> account number, and back. Derived from the journal's private sections
// and kept in memory; the core itself knows numbers only.
//
// Threads: one writer (the core thread). name_of() and size() may be called on any thread at any time; find() and
// open() on the writer's alone.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "model/ids.h"

namespace node {

class Directory {
 public:
  Directory();
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  /// The number of an account, 0 if none has that id. `hash` is model::account_name_hash(tenant, name).
  model::AccountNumber find(model::TenantNumber tenant, std::string_view name, std::uint64_t hash) const;
  /// Start loading what find() will look at, one step of the way each: the slot, then the record, then the id's text. For
  /// many ids each step is taken for all of them before the next.
  void prefetch_slot(std::uint64_t hash) const;
  void prefetch_record(std::uint64_t hash) const;
  void prefetch_text(std::uint64_t hash) const;
  /// Records the id of the account with the next number: size() + 1. The name is copied.
  void open(model::TenantNumber tenant, std::string_view name, std::uint64_t hash);
  /// The id of an account; empty if there is no such number. The view lives as long as the directory.
  std::string_view name_of(model::AccountNumber number) const;
  model::TenantNumber tenant_of(model::AccountNumber number) const;
  std::uint32_t size() const { return published_.load(std::memory_order_acquire); }
  /// Bytes held, for the memory report.
  std::size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  struct Name {
    const char* text;
    model::TenantNumber tenant;
    std::uint16_t size;
  };
  static constexpr std::size_t block_names = 4096;
  static constexpr std::size_t blocks_max = 16384;   // 67 million accounts
  static constexpr std::size_t arena_bytes = 256 * 1024;
  static constexpr std::size_t shard_count = 256;    // a shard grows alone, so that growing never stalls for long

  struct Slot {
    std::uint32_t tag = 0;                  // low half of the hash
    model::AccountNumber number = 0;        // 0 is free
  };
  struct Shard {
    std::vector<Slot> slots;
    std::uint32_t used = 0;
  };

  const Name& at(model::AccountNumber number) const;
  /// The number in the slot where the search for a hash begins; 0 if it holds another one.
  model::AccountNumber likely(std::uint64_t hash) const;
  static std::size_t shard_of(std::uint64_t hash) { return static_cast<std::size_t>(hash >> 56); }
  void grow(Shard& shard);

  std::array<std::atomic<Name*>, blocks_max> blocks_{};
  std::atomic<std::uint32_t> published_{0};
  std::atomic<std::size_t> memory_bytes_{0};
  std::array<Shard, shard_count> shards_;
  std::vector<std::unique_ptr<char[]>> arenas_;
  std::size_t arena_used_ = arena_bytes;
};

}  // namespace node
