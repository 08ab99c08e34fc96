// The damage corpus: clean inputs made from a seed, every damage put on them, alone and in twos, and the doctor's answers
// counted.
//
//   damage_corpus [--seed N] [--rounds N] [--markdown]
//
// Fails (exit 1) when fewer than 95 % of the top causes are exact, fewer than 98 % of the transport damages are repaired to
// identical bytes, anything damaged is accepted as another key, or a clean input gets a finding of severity error.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "damages.h"

namespace {

using namespace corpus;
using intake::Report;
using intake::Severity;

struct Tally {
  std::size_t tried = 0, exact = 0;
  std::map<std::string, std::size_t> others;
};

struct Totals {
  std::map<std::string, Tally> rows;
  std::size_t tried = 0, exact = 0, transport = 0, repaired = 0, pairs = 0, pairs_named = 0, flips = 0, flips_caught = 0, wrong_accepts = 0, bad_clean = 0;
};

bool show = false;

void complain(const char* what, const std::string& name, const Clean& clean, const std::string& bytes, const Report& report) {
  if (!show) return;
  std::fprintf(stderr, "%s: %s on %s: top %s %s\n%.*s\n", what, name.c_str(), clean.name.c_str(), report.top() ? std::string(report.top()->code()).c_str() : "none",
               report.top() ? report.top()->evidence.c_str() : "", static_cast<int>(std::min<std::size_t>(bytes.size(), 700)), bytes.c_str());
}

bool identical(const Report& report, const Clean& clean) {
  if (!report.usable) return false;
  const auto& got = report.item()->canonical;
  return std::equal(got.begin(), got.end(), clean.canonical.begin(), clean.canonical.end());
}

// Something came out that is neither refused nor the original.
bool is_wrong_accept(const Report& report, const Clean& clean, Fate fate) { return report.usable && (fate == Fate::refused || (fate == Fate::repaired && !identical(report, clean))); }

void try_damage(Totals& totals, Dice& dice, const Damage& damage, const Clean& clean, const std::vector<Clean>& all) {
  auto damaged = damage.make(dice, clean, all);
  if (!damaged) return;
  const Report report = intake::examine(base::as_bytes(damaged->bytes), damaged->expected);
  Tally& row = totals.rows[std::string(intake::row_of(damage.cause).code)];
  ++row.tried;
  ++totals.tried;
  const std::string top = report.top() == nullptr ? "(nothing)" : std::string(report.top()->code());
  // A remark of the clean input itself (a self-signed certificate) may stand above the mere mention of a repair.
  bool exact = report.top() != nullptr && report.top()->cause == damage.cause;
  if (!exact && report.usable && damage.fate != Fate::refused) {
    const Report before = intake::examine(base::as_bytes(clean.pem()), damaged->expected);
    std::size_t i = 0;
    while (i < report.findings.size() && std::any_of(before.findings.begin(), before.findings.end(), [&](const auto& f) { return f.cause == report.findings[i].cause; })) ++i;
    exact = i < report.findings.size() && report.findings[i].cause == damage.cause;
  }
  if (exact) {
    ++row.exact;
    ++totals.exact;
  } else {
    ++row.others[top];
    complain("cause", damage.name, clean, damaged->bytes, report);
  }
  if (damage.is_transport && damage.fate != Fate::refused) {
    ++totals.transport;
    if (identical(report, clean)) ++totals.repaired;
    else complain("not repaired", damage.name, clean, damaged->bytes, report);
  }
  // Where the damage exchanges the key itself, only its refusal counts.
  const bool other_key = damage.cause == intake::Cause::jwk_coordinate_is_short || damage.cause == intake::Cause::extended_key_has_slip132_prefix;
  if (!other_key && is_wrong_accept(report, clean, damage.fate)) {
    ++totals.wrong_accepts;
    complain("WRONG ACCEPT", damage.name, clean, damaged->bytes, report);
  }
}

void try_pair(Totals& totals, Dice& dice, const Clean& clean) {
  const auto& damages = text_damages();
  const TextDamage& a = damages[dice.below(damages.size())];
  const TextDamage& b = damages[dice.below(damages.size())];
  if (a.order >= b.order) return;
  // Typographic dashes change the number of dashes by themselves; a wrong number before that cannot be told.
  if (a.cause == intake::Cause::pem_boundary_is_damaged && b.cause == intake::Cause::dashes_are_typographic) return;
  auto once = a.make(dice, clean.pem());
  auto twice = once ? b.make(dice, *once) : std::nullopt;
  if (!twice) return;
  const Report report = intake::examine(base::as_bytes(*twice), {});
  ++totals.pairs;
  ++totals.transport;
  const auto has = [&](intake::Cause cause) { return std::any_of(report.findings.begin(), report.findings.end(), [&](const auto& f) { return f.cause == cause; }); };
  if (has(a.cause) && has(b.cause)) ++totals.pairs_named;
  else complain("pair", a.name + " + " + b.name, clean, *twice, report);
  if (identical(report, clean)) ++totals.repaired;
  else complain("pair not repaired", a.name + " + " + b.name, clean, *twice, report);
  if (is_wrong_accept(report, clean, Fate::repaired)) {
    ++totals.wrong_accepts;
    complain("WRONG ACCEPT", a.name + " + " + b.name, clean, *twice, report);
  }
}

// Only inputs in which every key bit is bound by another: private keys and points of curves without cofactor.
void try_flip(Totals& totals, Dice& dice, const Clean& clean) {
  const bool bound = clean.is_private() ? !clean.key.is_okp() : clean.kind == intake::Kind::public_key && clean.key.type == intake::KeyType::ec;
  if (!bound) return;
  const std::string text = flipped(dice, clean);
  const Report report = intake::examine(base::as_bytes(text), {});
  ++totals.flips;
  if (!report.usable || identical(report, clean)) ++totals.flips_caught;
  else {
    ++totals.wrong_accepts;
    complain("WRONG ACCEPT", "flipped digit", clean, text, report);
  }
}

double percent(std::size_t part, std::size_t whole) { return whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole); }

void print(const Totals& totals, std::uint64_t seed, bool markdown) {
  if (markdown) {
    std::printf("| cause | tried | exact | named instead |\n|---|---:|---:|---|\n");
  } else {
    std::printf("%-52s %6s %6s  named instead\n", "cause", "tried", "exact");
  }
  for (const auto& [code, row] : totals.rows) {
    std::string others;
    for (const auto& [other, count] : row.others) others += (others.empty() ? "" : ", ") + other + " x" + std::to_string(count);
    std::printf(markdown ? "| %s | %zu | %zu | %s |\n" : "%-52s %6zu %6zu  %s\n", code.c_str(), row.tried, row.exact, others.c_str());
  }
  std::printf("%sseed %llu: %zu damaged inputs, exact top cause %.2f %%; %zu repairable transport damages, identical after repair %.2f %%; "
              "%zu pairs of damages, both named %.2f %%; %zu flipped digits, %zu caught; wrong accepts %zu; clean inputs with errors %zu\n",
              markdown ? "\n" : "", static_cast<unsigned long long>(seed), totals.tried, percent(totals.exact, totals.tried), totals.transport, percent(totals.repaired, totals.transport), totals.pairs,
              percent(totals.pairs_named, totals.pairs), totals.flips, totals.flips_caught, totals.wrong_accepts, totals.bad_clean);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 1;
  std::size_t rounds = 3;
  bool markdown = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--seed") == 0 && i + 1 < argc) seed = std::strtoull(argv[++i], nullptr, 10);
    else if (std::strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) rounds = std::strtoull(argv[++i], nullptr, 10);
    else if (std::strcmp(argv[i], "--markdown") == 0) markdown = true;
    else if (std::strcmp(argv[i], "--show") == 0) show = true;
    else {
      std::fprintf(stderr, "usage: damage_corpus [--seed N] [--rounds N] [--markdown] [--show]\n");
      return 2;
    }
  }
  Totals totals;
  const std::vector<Clean> all = make_clean(seed);
  Dice dice(seed ^ 0x5eed);
  for (const Clean& clean : all) {
    const Report report = intake::examine(base::as_bytes(clean.pem()), {});
    const bool bad = !report.usable || !identical(report, clean) || std::any_of(report.findings.begin(), report.findings.end(), [](const auto& f) { return f.severity >= Severity::error; });
    if (bad) {
      ++totals.bad_clean;
      complain("CLEAN", "", clean, clean.pem(), report);
    }
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const Clean& clean : all) {
      for (const Damage& damage : all_damages()) {
        // What does not depend on the clean input need not be tried on every one of them; slow ones even less.
        const bool slow = damage.cause == intake::Cause::rsa_modulus_is_weak;
        if (slow && round != 0) continue;
        try_damage(totals, dice, damage, clean, all);
      }
      for (int i = 0; i < 30; ++i) try_pair(totals, dice, clean);
      for (int i = 0; i < 20; ++i) try_flip(totals, dice, clean);
    }
  }
  print(totals, seed, markdown);
  const bool good = percent(totals.exact, totals.tried) >= 95 && percent(totals.repaired, totals.transport) >= 98 && totals.wrong_accepts == 0 && totals.bad_clean == 0;
  return good ? 0 : 1;
}
