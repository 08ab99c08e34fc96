#include "sim/faults.h"

namespace sim {

const std::array<NamedFault, rows_max> named_faults = {{
    {Row::G1, "G1", "not reachable", "connection refused, name not resolved, TLS failed: before the first byte",
     "`not_sent`; another rail may be tried, because nothing left"},
    {Row::G2, "G2", "silence", "the rail takes the bytes, or the network swallows them, and nobody answers; questions too",
     "`outcome_unknown`; no other rail before absence is proven; the hold stays"},
    {Row::G3, "G3", "reply lost", "the bank acts, then the connection breaks", "an inquiry, callback or statement finds it; one posting"},
    {Row::G4, "G4", "jitter", "latencies of three classes, some beyond the reply timeout: slow drip",
     "a late reply to a question nobody waits for changes nothing; what it would have said is asked for"},
    {Row::G5, "G5", "out of order", "callbacks before the reply, `accepted` told after the end", "states only go forward; what is late is recorded beside them"},
    {Row::G6, "G6", "duplicates", "each callback up to twelve times; with an altered body under the old signature; with another amount, well signed, after the true one",
     "one effect; an altered body is refused by its digest; a signed contradiction opens a case and moves nothing"},
    {Row::G7, "G7", "forged", "callbacks by a wrong key, ten minutes old, and the same bytes again, through the real verifier",
     "refused before they are read; after a restart a replayed one is a duplicate"},
    {Row::G8, "G8", "a bank that errs", "settles and returns, settles less than asked, pays after it refused, states another asset, 5xx that committed, 200 with a refusal, truncated JSON",
     "clearing accounts equal the bank's book in the end; differences stand in suspense with a case; a late success is called back once"},
    {Row::G9, "G9", "flapping", "the rail is busy or not reachable half of the time, in windows", "never more than two probes out at a half-open rail; attempts stay bounded"},
    {Row::G10, "G10", "statements", "lines early, late, repeated and shuffled, in the middle and at the end", "whatever the order and repetition: the same books"},
    {Row::C1, "C1", "killed", "the process dies between any two steps (`--every-step`: after each step of a short story), and in recovery",
     "what was acknowledged is there; open sends become interrupted and unknown; effects go out at most once"},
    {Row::C2, "C2", "disk loses", "power lost at a disk call; unsynced sectors kept, lost or torn by chance; writes that never arrive or arrive changed",
     "a torn tail is cut only where nothing was acknowledged; damage is named"},
    {Row::C3, "C3", "disk errors", "EIO, torn writes, full for a call or for a while, a failed sync, slow, errors in recovery (`--kth-call`: each call)",
     "the process stops or refuses; no half state"},
    {Row::C4, "C4", "bit flips", "in files at rest and under a running process", "found when opened, read or verified"},
    {Row::C5, "C5", "clock jumps", "the wall clock by a second, an hour, 400 days, either way, running or down",
     "expiries and deadlines wait for a confirmation after a large jump; nothing expires twice; a rail refuses an order whose `valid_until` is absurd"},
    {Row::C6, "C6", "frozen", "the process sleeps for 10 s to 5 min; sends that were checked and not written go out when it wakes",
     "what leaves late is refused by `valid_until` or a tombstone, or its absence was never concluded"},
    {Row::C7, "C7", "upgrade", "an orderly stop, and a successor that replays every event without a snapshot. Two binaries do not fit in one process: the golden bytes of docs/format (`src/model/entry_test.cc`, `src/store/journal`) prove that formats are read alike",
     "the same state from the same journal"},
}};

std::optional<FaultSet> FaultSet::parse(std::string_view text) {
  if (text == "all") return all();
  FaultSet set;
  if (text == "none") return set;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    const NamedFault* found = nullptr;
    for (const NamedFault& fault : named_faults) {
      if (fault.id == word) found = &fault;
    }
    if (found == nullptr) return std::nullopt;
    set = set.with(found->row);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return set;
}

std::string FaultSet::text() const {
  if (is_all()) return "all";
  std::string text;
  for (const NamedFault& fault : named_faults) {
    if (has(fault.row)) text.append(text.empty() ? "" : ",").append(fault.id);
  }
  return text.empty() ? "none" : text;
}

std::string fault_table() {
  std::string table = "| id | fault | how it is injected | what must hold |\n|---|---|---|---|\n";
  for (const NamedFault& fault : named_faults) {
    table.append("| ").append(fault.id).append(" | ").append(fault.name).append(" | ").append(fault.injected).append(" | ").append(fault.holds).append(" |\n");
  }
  return table;
}

}  // namespace sim
