#include "io/file.h"

#include <algorithm>

namespace io {

base::Status File::zero_fill(std::uint64_t offset, std::uint64_t length) {
  constexpr std::size_t chunk_bytes = 256 * 1024;
  alignas(4096) static const std::uint8_t zeros[chunk_bytes] = {};
  while (length > 0) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(length, chunk_bytes));
    TRY(write_at(offset, {zeros, n}));
    offset += n;
    length -= n;
  }
  return base::ok();
}

base::Result<base::Bytes> read_whole_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max) {
  TRY_ASSIGN(auto file, files.open(path, OpenMode::read_only));
  // The size is a hint only: it may change, and files under /proc claim to be empty. One byte more than allowed is
  // asked for, so that "too large" is seen and not guessed.
  TRY_ASSIGN(const std::uint64_t size, file->size());
  base::Bytes bytes;
  std::uint64_t want = std::min(std::max<std::uint64_t>(size, 4095), bytes_max) + 1;
  while (true) {
    const std::size_t have = bytes.size();
    bytes.resize(static_cast<std::size_t>(want));
    TRY_ASSIGN(const std::size_t n, file->read_at(have, std::span(bytes).subspan(have)));
    bytes.resize(have + n);
    if (bytes.size() > bytes_max) {
      return base::Error{"file_too_large", "\"" + path + "\" has more than " + std::to_string(bytes_max) + " bytes"};
    }
    if (bytes.size() < want) return bytes;
    want = std::min(want * 2, bytes_max + 1);
  }
}

base::Status replace_file(FileSystem& files, const std::string& path, base::ByteView bytes, std::uint32_t permissions) {
  const std::string fresh = path + ".new";
  auto opened = files.open(fresh, OpenMode::create_new, permissions);
  if (!opened.ok() && std::string_view(opened.error().code) == "file_exists") {
    // Left by a crash between creating and renaming; its content was never promised to anybody.
    TRY(files.remove(fresh));
    opened = files.open(fresh, OpenMode::create_new, permissions);
  }
  TRY_ASSIGN(auto file, std::move(opened));
  TRY(file->write_at(0, bytes));
  TRY(file->sync_data());
  TRY(files.rename(fresh, path));
  return files.sync_dir(directory_of(path));
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  if (slash == 0) return "/";
  return path.substr(0, slash);
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string joined(directory);
  if (!joined.ends_with('/')) joined += '/';
  joined += name;
  return joined;
}

}  // namespace io
