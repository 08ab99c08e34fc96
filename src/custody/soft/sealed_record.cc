#include "custody/soft/sealed_record.h"

#include <algorithm>

#include "base/cbor.h"
#include "base/check.h"
#include "crypto/seal.h"
#include "crypto/wipe.h"

namespace custody {
namespace {

constexpr std::uint64_t format_version = 1;

// Both layers are sealed under different keys; naming the layer makes sure that one can never stand for the other.
enum class Layer : std::uint8_t { data_key = 0, secret = 1 };

struct Record {
  RecordName name;
  MasterKeyId master{};
  crypto::SealNonce wrap_nonce{};
  base::ByteView wrapped_key;
  crypto::SealNonce secret_nonce{};
  base::ByteView sealed_secret;
};

base::Bytes associated_data(Layer layer, const RecordName& name, const MasterKeyId& master) {
  base::Bytes out;
  base::CborWriter writer(out);
  writer.array(7);
  writer.text("holdfast sealed record");
  writer.uint(format_version);
  writer.uint(static_cast<std::uint64_t>(layer));
  writer.text(name.id);
  writer.uint(name.version);
  writer.uint(static_cast<std::uint64_t>(name.purpose));
  writer.bytes(master);
  return out;
}

template <std::size_t size>
bool read_fixed(base::CborReader& reader, std::array<std::uint8_t, size>& out) {
  const auto bytes = reader.bytes();
  if (!bytes || bytes->size() != size) return false;
  std::ranges::copy(*bytes, out.begin());
  return true;
}

base::Error malformed() { return {"sealed_record_malformed", "not a sealed record"}; }

base::Result<Record> parse(base::ByteView bytes) {
  base::CborReader reader(bytes);
  Record record;
  if (reader.array() != 9u) return malformed();
  const auto format = reader.uint();
  if (!format) return malformed();
  if (*format != format_version) {
    return base::Error{"sealed_record_version_unknown", "sealed record of format " + std::to_string(*format)};
  }
  const auto id = reader.text();
  const auto version = reader.uint();
  const auto purpose = reader.uint();
  if (!id || !version || *version > UINT32_MAX || !purpose || *purpose > UINT8_MAX) return malformed();
  record.name = {std::string(*id), static_cast<std::uint32_t>(*version), static_cast<Purpose>(*purpose)};
  if (!read_fixed(reader, record.master) || !read_fixed(reader, record.wrap_nonce)) return malformed();
  const auto wrapped_key = reader.bytes();
  if (!wrapped_key || wrapped_key->size() != 32 + crypto::seal_overhead_bytes) return malformed();
  record.wrapped_key = *wrapped_key;
  if (!read_fixed(reader, record.secret_nonce)) return malformed();
  const auto sealed_secret = reader.bytes();
  if (!sealed_secret || !reader.done() || sealed_secret->size() < crypto::seal_overhead_bytes ||
      sealed_secret->size() > sealed_secret_bytes_max + crypto::seal_overhead_bytes) {
    return malformed();
  }
  record.sealed_secret = *sealed_secret;
  return record;
}

std::string described(const RecordName& name) {
  return name.id + " version " + std::to_string(name.version) + " purpose " +
         std::to_string(static_cast<unsigned>(name.purpose));
}

base::Error not_authentic(const RecordName& name) {
  return {"sealed_record_not_authentic", "the sealed record of " + described(name) + " was changed"};
}

}  // namespace

base::Result<base::Bytes> seal_record(const MasterKey& master, io::Random& random, const RecordName& name,
                                      base::ByteView secret) {
  CHECK(!name.id.empty() && name.id.size() <= 128 && name.version >= 1);
  if (secret.size() > sealed_secret_bytes_max) {
    return base::Error{"sealed_secret_too_large", std::to_string(secret.size()) + " bytes"};
  }
  crypto::ShortLived<32> data_key;
  crypto::SealNonce wrap_nonce;
  crypto::SealNonce secret_nonce;
  random.fill(data_key.bytes());
  random.fill(wrap_nonce);
  random.fill(secret_nonce);
  base::Bytes out;
  base::CborWriter writer(out);
  writer.array(9);
  writer.uint(format_version);
  writer.text(name.id);
  writer.uint(name.version);
  writer.uint(static_cast<std::uint64_t>(name.purpose));
  writer.bytes(master.id());
  writer.bytes(wrap_nonce);
  writer.bytes(
      crypto::seal(master.bytes(), wrap_nonce, associated_data(Layer::data_key, name, master.id()), data_key.bytes()));
  writer.bytes(secret_nonce);
  writer.bytes(crypto::seal(data_key.bytes(), secret_nonce, associated_data(Layer::secret, name, master.id()), secret));
  return out;
}

base::Result<io::SecretMemory> open_record(const MasterKey& master, const RecordName& name, base::ByteView bytes) {
  TRY_ASSIGN(const Record record, parse(bytes));
  if (record.name.id != name.id || record.name.version != name.version || record.name.purpose != name.purpose) {
    return base::Error{"sealed_record_of_another_name",
                       "the record is of " + described(record.name) + ", not of " + described(name)};
  }
  if (record.master != master.id()) {
    return base::Error{"sealed_record_of_another_master_key",
                       "the sealed record of " + described(name) + " is wrapped by another master key"};
  }
  crypto::ShortLived<32> data_key;
  if (!crypto::open(master.bytes(), record.wrap_nonce, associated_data(Layer::data_key, name, record.master),
                    record.wrapped_key, data_key.bytes())
           .ok()) {
    return not_authentic(name);
  }
  TRY_ASSIGN(io::SecretMemory secret,
             io::SecretMemory::allocate(record.sealed_secret.size() - crypto::seal_overhead_bytes));
  if (!crypto::open(data_key.bytes(), record.secret_nonce, associated_data(Layer::secret, name, record.master),
                    record.sealed_secret, secret.bytes())
           .ok()) {
    return not_authentic(name);
  }
  return secret;
}

}  // namespace custody
