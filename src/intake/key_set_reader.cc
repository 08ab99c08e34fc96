#include "intake/key_set_reader.h"

#include "intake/doctor.h"

namespace intake {

base::Result<std::vector<PublishedKey>> read_key_set(base::ByteView body) {
  if (body.size() > key_set_bytes_max) return base::Error{"key_set_is_too_large", std::to_string(body.size()) + " bytes"};
  const Report report = examine(body, {});
  std::vector<PublishedKey> keys;
  for (const Item& item : report.items) {
    const bool key = item.kind == Kind::public_key || item.kind == Kind::private_key;
    if (!key || item.format != "jwk" || item.thumbprint.empty()) continue;
    if (keys.size() == key_set_keys_max) return base::Error{"key_set_is_too_large", "more than 100 keys"};
    keys.push_back({item.name, item.thumbprint, base::Bytes(item.spki.begin(), item.spki.end()), item.algorithm, item.kind == Kind::private_key});
  }
  if (!keys.empty()) return keys;
  const Finding* const top = report.top();
  // Codes are literals of cause.def and outlive every error.
  if (top != nullptr) return base::Error{top->code().data(), top->evidence};
  return base::Error{row_of(Cause::key_set_is_empty).code.data(), "no key that can be used"};
}

}  // namespace intake
