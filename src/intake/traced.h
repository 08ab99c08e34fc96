#pragma once
// Text that remembers, through every repair, which byte of the input each of its bytes came from.

#include <cstdint>
#include <vector>

#include "intake/finding.h"
#include "intake/wiped.h"

namespace intake {

struct Traced {
  Text text;
  std::vector<std::uint32_t> origin;  ///< one per byte of `text`; empty means byte i came from input byte `shift` + i
  std::size_t shift = 0;

  std::size_t size() const { return text.size(); }
  std::string_view view() const { return text; }
  std::size_t origin_of(std::size_t at) const {
    if (origin.empty()) return shift + at;
    return at < origin.size() ? origin[at] : origin.empty() ? shift : std::size_t{origin.back()} + 1;
  }
  /// Place in the input of [begin, end) of this text.
  Place place(std::size_t begin, std::size_t end) const {
    Place place;
    place.begin = origin_of(begin);
    place.end = end > begin ? origin_of(end - 1) + 1 : place.begin;
    return place;
  }
  Traced part(std::size_t begin, std::size_t end) const {
    Traced out;
    out.text.assign(text, begin, end - begin);
    if (origin.empty()) {
      out.shift = shift + begin;
    } else {
      out.origin.assign(origin.begin() + static_cast<std::ptrdiff_t>(begin),
                        origin.begin() + static_cast<std::ptrdiff_t>(end));
      out.shift = origin_of(begin);
    }
    return out;
  }
};

/// Builds the next state of a text, byte by byte.
class Rewriter {
 public:
  explicit Rewriter(const Traced& from) : from_(from) {
    out_.text.reserve(from.size());
    out_.origin.reserve(from.size());
  }
  void keep(std::size_t at) { put(from_.text[at], at); }
  void put(char c, std::size_t at) {
    out_.text.push_back(c);
    out_.origin.push_back(static_cast<std::uint32_t>(from_.origin_of(at)));
  }
  void put(std::string_view text, std::size_t at) {
    for (char c : text) put(c, at);
  }
  Traced take() { return std::move(out_); }

 private:
  const Traced& from_;
  Traced out_;
};

}  // namespace intake
