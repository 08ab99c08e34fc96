#include "intake/doctor.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "crypto/hash.h"
#include "intake/diff.h"
#include "intake/examination.h"
#include "intake/key_check.h"

namespace intake {
namespace {

using base::ByteView;

constexpr std::pair<Kind, std::string_view> kind_names[] = {
    {Kind::unknown, "unknown"},
    {Kind::public_key, "public_key"},
    {Kind::private_key, "private_key"},
    {Kind::encrypted_private_key, "encrypted_private_key"},
    {Kind::certificate, "certificate"},
    {Kind::certificate_request, "certificate_request"},
    {Kind::revocation_list, "revocation_list"},
    {Kind::keystore, "keystore"},
    {Kind::symmetric_secret, "symmetric_secret"},
    {Kind::parameters, "parameters"},
    {Kind::extended_public_key, "extended_public_key"},
    {Kind::extended_private_key, "extended_private_key"},
    {Kind::mnemonic, "mnemonic"},
    {Kind::wallet_private_key, "wallet_private_key"},
    {Kind::wallet_keystore, "wallet_keystore"},
    {Kind::address, "address"},
    {Kind::pgp_key, "pgp_key"},
    {Kind::key_block, "key_block"},
};

bool is_public_kind(Kind kind) {
  return kind == Kind::public_key || kind == Kind::certificate || kind == Kind::certificate_request ||
         kind == Kind::revocation_list || kind == Kind::extended_public_key || kind == Kind::address;
}

// Key material in an item's canonical form, as opposed to something about keys.
bool is_usable_kind(Kind kind) {
  switch (kind) {
    case Kind::unknown:
    case Kind::encrypted_private_key:
    case Kind::keystore:
    case Kind::parameters:
    case Kind::wallet_keystore:
    case Kind::pgp_key:
    case Kind::key_block: return false;
    default: return true;
  }
}

void fill_lines(std::vector<Finding>& findings, ByteView input) {
  const bool is_text = std::find(input.begin(), input.end(), 0) == input.end() && base::is_utf8(base::as_text(input));
  if (!is_text) return;
  std::vector<Place*> places;
  for (Finding& finding : findings) {
    if (finding.place.known()) places.push_back(&finding.place);
  }
  std::sort(places.begin(), places.end(), [](const Place* a, const Place* b) { return a->begin < b->begin; });
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  std::size_t at = 0;
  for (Place* place : places) {
    const std::size_t goal = std::min(place->begin, input.size());
    for (; at < goal; ++at) {
      if (input[at] == '\n') {
        ++line;
        column = 1;
      } else if ((input[at] & 0xC0) != 0x80) {
        ++column;
      }
    }
    place->line = line;
    place->column = column;
  }
}

// A leaf's own key among the other items.
void check_certificate_pairs(Examination& run) {
  const auto first = [&](Kind kind) {
    return std::find_if(run.items.begin(), run.items.end(), [&](const Item& item) { return item.kind == kind; });
  };
  const auto key = first(Kind::private_key);
  const auto leaf = first(Kind::certificate);
  if (key == run.items.end() || leaf == run.items.end() || key->spki.empty() || leaf->spki.empty()) return;
  for (const Item& item : run.items) {
    if (item.kind == Kind::certificate && item.spki == key->spki) return;
  }
  run.notes.add(Cause::certificate_and_key_do_not_match, leaf->place,
                "certificate " + leaf->pin_sha256.substr(0, 12) + "..., key " + key->pin_sha256.substr(0, 12) + "...");
}

void check_policy(Examination& run) {
  const Policy& policy = run.expected.policy;
  const auto allowed = [&](const Item& item) {
    if (policy.algorithms_allowed.empty() || item.algorithm.empty()) return true;
    return std::any_of(policy.algorithms_allowed.begin(), policy.algorithms_allowed.end(), [&](const std::string& name) {
      return name == item.algorithm || name == item.algorithm + ":" + item.curve;
    });
  };
  for (const Item& item : run.items) {
    if (!allowed(item)) {
      std::string names;
      for (const std::string& name : policy.algorithms_allowed) names += (names.empty() ? "" : ", ") + name;
      run.notes.add(Cause::algorithm_not_allowed, item.place, item.algorithm + (item.curve.empty() ? "" : " " + item.curve) + "; allowed: " + names);
    }
    if (!item.thumbprint.empty() &&
        std::find(run.expected.known_thumbprints.begin(), run.expected.known_thumbprints.end(), item.thumbprint) !=
            run.expected.known_thumbprints.end()) {
      run.notes.add(Cause::key_is_reused, item.place, "thumbprint " + item.thumbprint);
    }
  }
}

// What to say when `found` came where `wanted` was expected. Nothing when it will do.
std::optional<Cause> mismatch(Kind wanted, Kind found) {
  if (wanted == found) return std::nullopt;
  if (is_public_kind(wanted) && is_secret(found)) {
    switch (found) {
      case Kind::extended_private_key: return Cause::xprv_given_where_xpub_expected;
      case Kind::mnemonic:
      case Kind::wallet_private_key:
      case Kind::wallet_keystore: return Cause::wallet_secret_given_where_public_expected;
      case Kind::symmetric_secret: return Cause::symmetric_secret_given_where_key_pair_expected;
      case Kind::keystore:
      case Kind::key_block: return Cause::expected_another_kind;
      default: return Cause::private_key_given_where_public_expected;
    }
  }
  switch (found) {
    case Kind::certificate:
      if (wanted == Kind::public_key) return Cause::certificate_given_where_key_expected;
      if (wanted == Kind::private_key) return Cause::certificate_given_where_private_expected;
      break;
    case Kind::certificate_request:
      if (wanted == Kind::certificate) return Cause::request_given_where_certificate_expected;
      break;
    case Kind::revocation_list:
      if (wanted == Kind::certificate) return Cause::revocation_list_given_where_certificate_expected;
      break;
    case Kind::public_key:
      if (wanted == Kind::private_key) return Cause::public_key_given_where_private_expected;
      break;
    case Kind::extended_public_key:
    case Kind::address:
      if (wanted == Kind::wallet_private_key || wanted == Kind::extended_private_key || wanted == Kind::mnemonic) {
        return Cause::watch_only_given_for_signing;
      }
      if (found == Kind::address) return Cause::address_given_where_key_expected;
      break;
    case Kind::symmetric_secret:
      if (wanted == Kind::private_key) return Cause::symmetric_secret_given_where_key_pair_expected;
      break;
    case Kind::parameters: return Cause::parameters_given_without_key;
    default: break;
  }
  return Cause::expected_another_kind;
}

void judge_kinds(Examination& run) {
  const std::optional<Kind> wanted = run.expected.kind;
  if (run.items.empty()) {
    // What cannot be read may still be the wreck of a private key; that is an incident all the same.
    if (wanted && is_public_kind(*wanted) && run.seems_private && run.notes.at_least(Severity::error)) {
      run.notes.add(Cause::private_key_given_where_public_expected, {}, "unreadable, but marked as private");
    }
    return;
  }
  if (!wanted) {
    if (std::all_of(run.items.begin(), run.items.end(), [](const Item& item) { return item.kind == Kind::parameters; })) {
      run.notes.add(Cause::parameters_given_without_key, run.items.front().place);
    }
    return;
  }
  const bool have_wanted = std::any_of(run.items.begin(), run.items.end(), [&](const Item& i) { return i.kind == *wanted; });
  for (const Item& item : run.items) {
    const auto cause = mismatch(*wanted, item.kind);
    if (!cause) continue;
    // Beside what was asked for, other public material does no harm; secrets in a public slot always do.
    if (have_wanted && row_of(*cause).severity < Severity::incident) continue;
    run.notes.add(*cause, item.place, std::string("expected ") + std::string(name_of(*wanted)) + ", found " + std::string(name_of(item.kind)));
  }
  if (*wanted == Kind::public_key && !have_wanted) {
    for (std::size_t i = 0; i < run.items.size(); ++i) {
      if (run.items[i].kind != Kind::certificate || run.items[i].spki.empty()) continue;
      Item key = run.items[i];
      key.kind = Kind::public_key;
      key.label = "PUBLIC KEY";
      key.canonical = key.spki;
      key.fingerprint_sha256 = base::to_hex(crypto::sha256(key.spki));
      run.items.push_back(std::move(key));
      break;
    }
  }
}

// Orders the findings and decides.
void conclude(Examination& run, Report& report) {
  const std::optional<Kind> wanted = run.expected.kind;
  // A refused secret in a public slot is named first; the rest of the list would only distract from it.
  std::stable_sort(run.notes.all().begin(), run.notes.all().end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  const bool refused = run.notes.at_least(Severity::error);
  if (!refused) {
    for (std::size_t i = 0; i < run.items.size() && !report.chosen; ++i) {
      const Kind kind = run.items[i].kind;
      if (wanted ? kind == *wanted : is_usable_kind(kind)) report.chosen = i;
    }
  }
  report.usable = report.chosen.has_value();
  report.is_private = run.seems_private || std::any_of(run.items.begin(), run.items.end(), [](const Item& item) {
                        return is_secret(item.kind);
                      });
  const bool incident = run.notes.at_least(Severity::incident);
  for (Item& item : run.items) {
    if (is_secret(item.kind) && (incident || refused)) {
      wipe(item.canonical.data(), item.canonical.size());
      item.canonical.clear();
    }
    if (incident && is_secret(item.kind)) item.name.clear();
  }
  report.findings = std::move(run.notes.all());
  report.items = std::move(run.items);
}

// Diffs only for inputs that were read and are public through and through.
void show_repairs(Examination& run, Report& report, ByteView input) {
  if (report.is_private || report.items.empty()) return;
  for (Finding& finding : report.findings) {
    if (finding.severity != Severity::repaired) continue;
    for (const Repair& repair : run.repairs) {
      if (repair.cause == finding.cause && finding.repair.empty()) finding.repair = line_diff(repair.before, repair.after);
    }
    const Item& item = report.items[report.chosen.value_or(0)];
    if (finding.repair.empty() && !item.label.empty() && !item.canonical.empty() &&
        base::is_utf8(base::as_text(input))) {
      finding.repair = line_diff(base::as_text(input), to_pem(item.label, item.canonical));
    }
  }
}

}  // namespace

std::string_view name_of(Kind kind) {
  for (const auto& [value, name] : kind_names) {
    if (value == kind) return name;
  }
  return "unknown";
}

std::optional<Kind> kind_of_name(std::string_view wanted) {
  for (const auto& [value, name] : kind_names) {
    if (name == wanted && value != Kind::unknown) return value;
  }
  return std::nullopt;
}

bool is_secret(Kind kind) {
  switch (kind) {
    case Kind::private_key:
    case Kind::encrypted_private_key:
    case Kind::keystore:
    case Kind::symmetric_secret:
    case Kind::extended_private_key:
    case Kind::mnemonic:
    case Kind::wallet_private_key:
    case Kind::wallet_keystore:
    case Kind::key_block: return true;
    default: return false;
  }
}

Layer::Layer(Examination& examination) : examination_(examination) {
  ok_ = ++examination_.depth <= examination_.expected.policy.nesting_max;
  if (!ok_) examination_.notes.add(Cause::nesting_is_too_deep);
}

void Examination::add(Item item) {
  for (const Item& known : items) {
    if (known.kind == item.kind && !item.canonical.empty() && known.canonical == item.canonical) {
      notes.add(Cause::blocks_repeat, item.place);
      return;
    }
  }
  if (items.size() >= expected.policy.blocks_max) return;
  items.push_back(std::move(item));
}

void describe(Item& item, const Key& key) {
  item.algorithm = algorithm_name(key);
  item.bits = key_bits(key);
  if (key.curve != nullptr) item.curve = key.curve->name;
  item.spki = to_spki(key);
  const base::Digest digest = crypto::sha256(item.spki);
  item.fingerprint_sha256 = base::to_hex(digest);
  item.pin_sha256 = base::to_base64(digest);
  item.thumbprint = jwk_thumbprint(key);
}

void Examination::add_key(Key key, std::string format, std::string name, const Desk& desk) {
  if (key.is_private) seems_private = true;
  if (!check_key(key, expected.policy, desk)) return;
  Item item;
  item.kind = key.is_private ? Kind::private_key : Kind::public_key;
  item.format = std::move(format);
  item.name = std::move(name);
  item.label = key.is_private ? "PRIVATE KEY" : "PUBLIC KEY";
  item.place = desk.content.place_at(0, desk.content.bytes.size());
  describe(item, key);
  item.canonical = key.is_private ? to_pkcs8(key) : item.spki;
  add(std::move(item));
}

Report examine(ByteView input, const Expectations& expected) {
  Report report;
  Examination run{expected, {}, {}, {}, 0, false, false};
  if (input.size() > expected.policy.input_bytes_max) {
    run.notes.add(Cause::input_is_too_large, {},
                  std::to_string(input.size()) + " bytes; at most " + std::to_string(expected.policy.input_bytes_max));
  } else {
    Content content;
    content.origin = Content::Origin::binary;
    content.bytes = to_secret(input);
    examine_bytes(run, content);
  }
  check_certificate_pairs(run);
  check_policy(run);
  judge_kinds(run);
  if (expected.password && !run.password_used && !run.items.empty() && !run.notes.at_least(Severity::error)) {
    run.notes.add(Cause::password_given_but_not_needed);
  }
  if (run.items.empty() && !run.notes.at_least(Severity::error)) run.notes.add(Cause::content_is_not_recognised);
  conclude(run, report);
  fill_lines(report.findings, input);
  show_repairs(run, report, input);
  return report;
}

Text to_pem(std::string_view label, ByteView der) {
  Text out = "-----BEGIN ";
  out.reserve(der.size() * 3 / 2 + 2 * label.size() + 64);
  out.append(label).append("-----\n");
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t at = 0; at < der.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, der.size() - at);
    std::uint32_t group = static_cast<std::uint32_t>(der[at]) << 16;
    if (count > 1) group |= static_cast<std::uint32_t>(der[at + 1]) << 8;
    if (count > 2) group |= der[at + 2];
    out.push_back(digits[group >> 18]);
    out.push_back(digits[(group >> 12) & 63]);
    out.push_back(count > 1 ? digits[(group >> 6) & 63] : '=');
    out.push_back(count > 2 ? digits[group & 63] : '=');
    if ((at + 3) % 48 == 0) out.push_back('\n');
  }
  if (out.back() != '\n') out.push_back('\n');
  out.append("-----END ").append(label).append("-----\n");
  return out;
}

}  // namespace intake
