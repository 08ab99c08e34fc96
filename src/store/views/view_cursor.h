#pragma once
// Cursors: where a list goes on, opaque to clients, bound to the query that gave them out.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace store {

/// Gathers what a cursor is bound to: the kind of list and its filters.
class CursorScope {
 public:
  explicit CursorScope(std::string_view list) { add(list); }
  CursorScope& add(std::string_view filter);
  CursorScope& add(std::uint64_t filter);

  std::string cursor_after(std::uint64_t number) const;
  std::string cursor_after(std::string_view name) const;

  /// What cursor_after was given. Errors: view_cursor_malformed (also for a cursor of other filters).
  base::Result<std::uint64_t> number_in(std::string_view cursor) const;
  base::Result<std::string> name_in(std::string_view cursor) const;

 private:
  std::string encode(base::ByteView position) const;
  base::Result<base::Bytes> decode(std::string_view cursor) const;

  std::uint32_t sum_ = 0;
};

}  // namespace store
