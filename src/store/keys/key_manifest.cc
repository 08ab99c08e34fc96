#include "store/keys/key_manifest.h"

#include <cstring>

namespace store {

const char* const key_manifest_name = "MANIFEST";

namespace {

constexpr std::string_view magic = "HFKEYMAN";
constexpr std::uint32_t version = 1;
constexpr std::size_t head_bytes = 56;   // magic 8, version 4, number of runs 4, identity 16, covered 8, next run 8, zero 8
constexpr std::size_t run_bytes = 32;
constexpr std::size_t runs_max = 4096;

base::Error damaged(const std::string& path, const char* what) { return {"key_manifest_damaged", path + ": " + what}; }

// What a writer can have written: runs in a row, ending at or before what is covered.
bool coherent(const KeyManifest& manifest) {
  model::EventNumber at = 0;
  for (const KeyRunInfo& run : manifest.runs) {
    if (run.from < at || run.through <= run.from || run.records == 0 || run.number >= manifest.next_run) return false;
    if (run.records > (std::uint64_t{1} << 38)) return false;   // page numbers have 32 bits
    at = run.through;
  }
  return at <= manifest.covered && manifest.covered <= model::event_number_max;
}

}  // namespace

base::Result<KeyManifest> read_key_manifest(io::FileSystem& files, const std::string& directory) {
  const std::string path = io::join_path(directory, key_manifest_name);
  TRY_ASSIGN(const bool exists, files.exists(path));
  if (!exists) return KeyManifest{};
  auto read = io::read_whole_file(files, path, head_bytes + runs_max * run_bytes + 4);
  if (!read.ok()) {
    if (std::string_view(read.error().code) == "file_too_large") return damaged(path, "it is too large");
    return read.error();
  }
  const base::Bytes& bytes = *read;
  if (bytes.size() < head_bytes + 4) return damaged(path, "it is too short");
  const std::size_t body = bytes.size() - 4;
  if (base::load_le<std::uint32_t>(bytes.data() + body) != base::crc32c({bytes.data(), body})) {
    return damaged(path, "its checksum is wrong");
  }
  if (std::memcmp(bytes.data(), magic.data(), magic.size()) != 0) return damaged(path, "it is not a list of runs");
  if (base::load_le<std::uint32_t>(bytes.data() + 8) != version) {
    return base::Error{"key_index_version_unknown", path + " was written by a newer version"};
  }
  const std::size_t count = base::load_le<std::uint32_t>(bytes.data() + 12);
  if (count > runs_max || body != head_bytes + count * run_bytes) return damaged(path, "its size is wrong");
  KeyManifest manifest;
  std::memcpy(manifest.identity.data(), bytes.data() + 16, manifest.identity.size());
  manifest.covered = base::load_le<std::uint64_t>(bytes.data() + 32);
  manifest.next_run = base::load_le<std::uint64_t>(bytes.data() + 40);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* at = bytes.data() + head_bytes + i * run_bytes;
    manifest.runs.push_back({base::load_le<std::uint64_t>(at), base::load_le<std::uint64_t>(at + 8),
                             base::load_le<std::uint64_t>(at + 16), base::load_le<std::uint64_t>(at + 24)});
  }
  if (!coherent(manifest)) return damaged(path, "its runs do not follow each other");
  return manifest;
}

base::Status write_key_manifest(io::FileSystem& files, const std::string& directory, const KeyManifest& manifest) {
  base::Bytes bytes(head_bytes + manifest.runs.size() * run_bytes + 4);
  std::memcpy(bytes.data(), magic.data(), magic.size());
  base::store_le(bytes.data() + 8, version);
  base::store_le(bytes.data() + 12, static_cast<std::uint32_t>(manifest.runs.size()));
  std::memcpy(bytes.data() + 16, manifest.identity.data(), manifest.identity.size());
  base::store_le(bytes.data() + 32, manifest.covered);
  base::store_le(bytes.data() + 40, manifest.next_run);
  std::uint8_t* at = bytes.data() + head_bytes;
  for (const KeyRunInfo& run : manifest.runs) {
    base::store_le(at, run.number);
    base::store_le(at + 8, run.records);
    base::store_le(at + 16, run.from);
    base::store_le(at + 24, run.through);
    at += run_bytes;
  }
  base::store_le(at, base::crc32c({bytes.data(), bytes.size() - 4}));
  return io::replace_file(files, io::join_path(directory, key_manifest_name), bytes);
}

}  // namespace store
