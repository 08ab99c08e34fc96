#include "gate/fingerprint.h"

#include "base/text.h"
#include "gate/gate_fixture.h"
#include "gate/scope.h"

using namespace gate;

namespace {

const GateKeys& test_keys() {
  static const GateKeys keys(test_root(1));
  return keys;
}

model::IdempotencyTag transfer_tag(std::string_view key, std::string_view debit, base::U128 amount, bool hold = false) {
  FingerprintMaker maker(test_keys());
  maker.start(1, 2, model::Operation::create_transfer, key);
  maker.text(1, debit);
  maker.text(2, "b");
  maker.asset(3, *model::parse_asset("USD/2"));
  maker.amount(4, amount);
  if (hold) maker.boolean(5, true);
  return maker.finish();
}

}  // namespace

TEST_CASE("a key's MAC depends on all of its scope") {
  const auto mac = [](model::TenantNumber tenant, model::PrincipalNumber principal, model::Operation operation,
                      const char* key) { return key_mac(test_keys(), tenant, principal, operation, key); };
  const auto one = mac(1, 2, model::Operation::create_transfer, "k");
  CHECK(one == mac(1, 2, model::Operation::create_transfer, "k"));
  CHECK(one != mac(2, 2, model::Operation::create_transfer, "k"));
  CHECK(one != mac(1, 3, model::Operation::create_transfer, "k"));
  CHECK(one != mac(1, 2, model::Operation::open_account, "k"));
  CHECK(one != mac(1, 2, model::Operation::create_transfer, "l"));
  CHECK(transfer_tag("k", "a", 1).key == one);
  CHECK(reference_mac(test_keys(), 1, "r") != reference_mac(test_keys(), 2, "r"));
}

TEST_CASE("golden tag of a transfer") {
  const auto tag = transfer_tag("key-1", "users/7f3a", 2500);
  CHECK(base::to_hex(tag.key) == "4f4232ba1e6d5d41be88da7fb884bfb3");
  CHECK(base::to_hex(tag.fingerprint) == "f2ef66c85891cbcc3ea78b15a0360b26");
  CHECK(tag.fingerprint_version == 1);
  CHECK(tag.field_count == 4);
  CHECK(tag.fields[3] == 2945845092u);
  CHECK(tag.fields[4] == 0);
}

TEST_CASE("the newest version makes the tag, and former versions make the tags they always made") {
  const auto root = test_root(1);
  const auto key = [](std::uint8_t byte) {
    std::array<std::uint8_t, 16> bytes{};
    bytes.fill(byte);
    return bytes;
  };
  const VersionedKey<32> token(1, root);
  const GateKeys before(root, {token}, {{1, key(1)}}), after(root, {token}, {{2, key(2)}, {1, key(1)}});
  FingerprintMaker old_maker(before), maker(after);
  CHECK(old_maker.versions() == 1);
  REQUIRE(maker.versions() == 2);
  for (FingerprintMaker* each : {&old_maker, &maker}) {
    each->start(1, 2, model::Operation::create_transfer, "k");
    each->text(1, "a");
    each->amount(4, 5);
  }
  const model::IdempotencyTag first = old_maker.finish(), now = maker.finish();
  CHECK(now.fingerprint_version == 2);
  CHECK(now.key == first.key);
  CHECK(now.fingerprint != first.fingerprint);
  CHECK(now.fields != first.fields);
  CHECK(maker.tag_of_version(0) == now);
  CHECK(maker.tag_of_version(1) == first);

  const base::Bytes of_old{1, 2, 3}, of_new{4, 5, 6};
  old_maker.start(1, 2, model::Operation::record_batch, "b");
  old_maker.bytes(1, of_old);
  maker.start(1, 2, model::Operation::record_batch, "b");
  maker.bytes_of_versions(1, std::vector<base::Bytes>{of_new, of_old});
  const model::IdempotencyTag batch = maker.finish();
  CHECK(maker.tag_of_version(1) == old_maker.finish());
  FingerprintMaker again(after);
  again.start(1, 2, model::Operation::record_batch, "b");
  again.bytes(1, of_new);
  CHECK(batch == again.finish());
}

TEST_CASE("differences are named, equal requests agree") {
  const auto first = transfer_tag("k", "a", 5);
  CHECK(first == transfer_tag("k", "a", 5));
  const auto names = [&](const model::IdempotencyTag& second) {
    return differing_fields(model::Operation::create_transfer, first, second);
  };
  using Names = std::vector<std::string_view>;
  CHECK(names(first).empty());
  CHECK(names(transfer_tag("k", "c", 5)) == Names{"debit_account"});
  CHECK(names(transfer_tag("k", "c", 6)) == Names{"debit_account", "amount"});
  CHECK(names(transfer_tag("k", "a", 5, true)) == Names{"hold"});
  CHECK(first.fingerprint != transfer_tag("k", "a", 5, true).fingerprint);
  CHECK(field_names(model::Operation::create_transfer, 1u << 8) == Names{"kind"});
  CHECK(field_names(model::Operation::void_hold, 0xFFFF) == Names{"id"});
}

TEST_CASE("equal fields of requests under different keys do not show as equal") {
  const auto a = transfer_tag("k1", "a", 5), b = transfer_tag("k2", "a", 5);
  CHECK(a.fingerprint != b.fingerprint);
  for (std::size_t i = 0; i < 4; ++i) CHECK(a.fields[i] != b.fields[i]);
}

TEST_CASE("every operation that takes keys has a list of fields and a name") {
  for (std::uint64_t number = 1; number < 256; ++number) {
    if (!model::is_operation(number)) continue;
    const auto operation = static_cast<model::Operation>(number);
    const auto fields = fields_of(operation);
    CHECK(fields.size() <= model::fingerprint_fields_max);
    if (fields.empty()) {
      CHECK(number >= 30);  // the process's own
    } else {
      CHECK(parse_operation(to_text(operation)) == operation);
    }
  }
  CHECK_FALSE(parse_operation("tick").has_value());
  for (model::Scopes bit = 1; bit <= model::all_scopes; bit <<= 1) {
    const auto scope = static_cast<model::Scope>(bit);
    CHECK(parse_scope(to_text(scope)) == scope);
  }
  CHECK(to_texts(model::accounts_read | model::operate) == std::vector<std::string_view>{"accounts:read", "operate"});
  CHECK_FALSE(parse_scope("everything").has_value());
}
