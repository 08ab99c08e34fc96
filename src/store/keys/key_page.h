#pragma once
// Pages: every file of the key index is a row of 4 KiB pages, each naming its place and its file, under a checksum.

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace store {

constexpr std::size_t key_page_bytes = 4096;
constexpr std::size_t key_page_head = 16;   ///< crc32c of the rest (4), page number (4), file number (8)
constexpr std::size_t key_page_room = key_page_bytes - key_page_head;

/// Completes a page whose content stands from byte key_page_head on.
inline void seal_page(std::uint8_t* page, std::uint32_t number, std::uint64_t file) {
  base::store_le(page + 4, number);
  base::store_le(page + 8, file);
  base::store_le(page, base::crc32c({page + 4, key_page_bytes - 4}));
}

/// Errors: `code` (a literal), with path and offset in the message.
inline base::Status check_page(const std::uint8_t* page, std::uint32_t number, std::uint64_t file, const char* code,
                               const std::string& path) {
  const bool good = base::load_le<std::uint32_t>(page) == base::crc32c({page + 4, key_page_bytes - 4}) &&
                    base::load_le<std::uint32_t>(page + 4) == number && base::load_le<std::uint64_t>(page + 8) == file;
  if (good) return base::ok();
  return base::Error{code, path + ": the page at offset " + std::to_string(std::uint64_t{number} * key_page_bytes) +
                               " is damaged"};
}

}  // namespace store
