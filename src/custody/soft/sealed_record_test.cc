#include "custody/soft/sealed_record.h"

#include <doctest/doctest.h>

#include <string>

#include "base/text.h"
#include "custody/soft/test_random.h"
#include "io/simulated_file.h"

using custody::MasterKey;
using custody::Purpose;
using custody::RecordName;

namespace {

MasterKey master_key(std::uint8_t first) {
  io::SimulatedFileSystem files(1);
  custody::CountingRandom random(first);
  auto key = MasterKey::create(files, random, {"/master.key", "/data"});
  REQUIRE(key.ok());
  return std::move(*key);
}

const RecordName name{"leaf-blinding", 3, Purpose::leaf_blinding};

template <typename T>
std::string code(const base::Result<T>& result) {
  return result.ok() ? "" : result.error().code;
}

base::Bytes sealed(const MasterKey& master, base::ByteView secret) {
  custody::CountingRandom random(0x20);
  auto record = custody::seal_record(master, random, name, secret);
  REQUIRE(record.ok());
  return *record;
}

}  // namespace

TEST_CASE("a sealed record is these bytes") {
  // Computed from docs/format/keys.md with another language and library: master key 00..1f, data key 20..3f, nonces
  // 40..57 and 58..6f.
  const std::string golden =
      "89016d6c6561662d626c696e64696e67030448acb3588a6b11fffa5818404142434445464748494a4b4c4d4e4f505152"
      "53545556575830f4182753f4c55f31a7ddad9583b14bbda28b9ff7276c65ad5208c77e35391daf44800396f32b11e1ea"
      "d1a3050b045a32581858595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f5821c872f8e723b6b349f8607126fa"
      "85ca5fb8e7c2554bb60b7a6d9b1c47fd8d5d6dc8";
  const MasterKey master = master_key(0);
  const base::Bytes record = sealed(master, base::as_bytes("an example secret"));
  CHECK(base::to_hex(record) == golden);
  const auto secret = custody::open_record(master, name, *base::parse_hex(golden));
  REQUIRE(secret.ok());
  CHECK(base::as_text(secret->view()) == "an example secret");
}

TEST_CASE("a secret may be empty or as large as the limit, not larger") {
  const MasterKey master = master_key(0);
  const auto empty = custody::open_record(master, name, sealed(master, {}));
  REQUIRE(empty.ok());
  CHECK(empty->empty());
  const base::Bytes largest(custody::sealed_secret_bytes_max, 7);
  const auto opened = custody::open_record(master, name, sealed(master, largest));
  REQUIRE(opened.ok());
  CHECK(opened->size() == largest.size());
  custody::CountingRandom random;
  CHECK(code(custody::seal_record(master, random, name, base::Bytes(largest.size() + 1))) == "sealed_secret_too_large");
}

TEST_CASE("a record opens under its own name and master key only") {
  const MasterKey master = master_key(0);
  const base::Bytes record = sealed(master, base::as_bytes("secret"));
  for (const RecordName& other :
       {RecordName{"leaf-blinding", 4, Purpose::leaf_blinding}, RecordName{"leaf-blindinG", 3, Purpose::leaf_blinding},
        RecordName{"leaf-blinding", 3, Purpose::token_mac}}) {
    CHECK(code(custody::open_record(master, other, record)) == "sealed_record_of_another_name");
  }
  CHECK(code(custody::open_record(master_key(1), name, record)) == "sealed_record_of_another_master_key");
}

TEST_CASE("every flipped bit of a record is found") {
  const MasterKey master = master_key(0);
  const base::Bytes record = sealed(master, base::as_bytes("secret"));
  for (std::size_t at = 0; at < record.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      base::Bytes changed = record;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1 << bit));
      CAPTURE(at);
      CHECK_FALSE(custody::open_record(master, name, changed).ok());
    }
  }
  base::Bytes changed = record;
  changed.back() ^= 1;
  CHECK(code(custody::open_record(master, name, changed)) == "sealed_record_not_authentic");
  // Inside the wrapped data key.
  changed = record;
  changed[80] ^= 1;
  CHECK(code(custody::open_record(master, name, changed)) == "sealed_record_not_authentic");
}

TEST_CASE("a record renamed by someone who rewrites its plain fields does not open") {
  const MasterKey master = master_key(0);
  base::Bytes record = sealed(master, base::as_bytes("secret"));
  // The version stands after array head, format, and the text of 13 bytes.
  REQUIRE(record[1 + 1 + 14] == 3);
  record[1 + 1 + 14] = 4;
  CHECK(code(custody::open_record(master, {"leaf-blinding", 4, Purpose::leaf_blinding}, record)) ==
        "sealed_record_not_authentic");
}

TEST_CASE("what is not a record is refused") {
  const MasterKey master = master_key(0);
  const base::Bytes record = sealed(master, base::as_bytes("secret"));
  for (std::size_t size = 0; size < record.size(); ++size) {
    CHECK(code(custody::open_record(master, name, base::ByteView(record).first(size))) == "sealed_record_malformed");
  }
  base::Bytes longer = record;
  longer.push_back(0);
  CHECK(code(custody::open_record(master, name, longer)) == "sealed_record_malformed");
  base::Bytes other_format = record;
  other_format[1] = 2;
  CHECK(code(custody::open_record(master, name, other_format)) == "sealed_record_version_unknown");
}
