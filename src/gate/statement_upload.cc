#include "gate/statement_upload.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/check.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "gate/fingerprint.h"
#include "gate/gate.h"
#include "intake/statement/statement.h"

namespace gate {

namespace {

constexpr char separator = '\x1f';

std::string joined(std::string_view what, std::string_view rail, std::initializer_list<std::string_view> rest) {
  std::string text;
  text.append(1, '\x01').append(what).append(1, separator).append(rail);
  for (const std::string_view one : rest) text.append(1, separator).append(one);
  return text;
}

// What makes a line this line, the same in every file and format that shows it: days, because some formats know no more.
std::string words_of(const intake::BookedLine& line) {
  constexpr std::int64_t day_ns = base::seconds(86'400).ns;
  std::string text = std::to_string(line.booked_at.ns / day_ns);
  text.append(1, separator).append(line.credit ? "C" : "D").append(base::to_decimal(line.amount));
  text.append(1, separator).append(model::to_text(line.asset));
  text.append(1, separator).append(line.our_reference).append(1, separator).append(line.rail_reference);
  return text;
}

model::StatementLine line_of(const GateKeys& keys, const model::Epochs& epochs, model::TenantNumber tenant, std::string_view rail, const intake::BookedLine& booked,
                             std::uint32_t copy) {
  model::StatementLine line;
  line.line = booked.line;
  line.amount = booked.amount;
  line.credit = booked.credit;
  line.booked_at = booked.booked_at;
  line.asset = booked.asset;
  line.named = booked.our_reference.starts_with("tr_");
  line.reference = epochs.event_of_reference(0, booked.our_reference);
  if (!booked.rail_reference.empty()) line.rail_reference_key = rail_reference_mac(keys, tenant, rail, booked.rail_reference);
  line.identity = reference_mac(keys, tenant, joined("line", rail, {words_of(booked), std::to_string(copy)}));
  return line;
}

}  // namespace

base::Tag128 rail_reference_mac(const GateKeys& keys, model::TenantNumber tenant, std::string_view rail, std::string_view reference) {
  return reference_mac(keys, tenant, joined("rail", rail, {reference}));
}

std::optional<model::StatementFormat> parse_statement_format(std::string_view text) {
  for (const auto format : {model::StatementFormat::csv, model::StatementFormat::camt053, model::StatementFormat::mt940}) {
    if (model::name_of(format) == text) return format;
  }
  return std::nullopt;
}

base::Result<StatementParts> parts_of(const GateKeys& keys, const model::Epochs& epochs, model::TenantNumber tenant, const StatementUpload& upload) {
  const auto format = upload.format ? upload.format : intake::sniff_statement(upload.text);
  if (!format) return base::Error{"statement_format_unknown", "this is neither CSV with a header, nor camt.053, nor MT940"};
  TRY_ASSIGN(const intake::Statement statement, intake::read_statement(*format, upload.text));
  model::RecordStatement part;
  part.format = *format;
  part.from = upload.from.value_or(statement.from);
  part.until = upload.until.value_or(statement.until);
  // Without a beginning it would cover all time: everything that it does not show would be missing.
  if (part.from.ns == 0 || part.until.ns == 0) return base::Error{"statement_period_missing", "the file does not say which time it shows; give from and until"};
  if (part.from >= part.until) return base::Error{"statement_period_malformed", "the statement ends before it begins"};
  const base::Digest digest = crypto::sha256(base::as_bytes(upload.text));
  const std::string period = std::to_string(part.from.ns) + "-" + std::to_string(part.until.ns);
  part.file = reference_mac(keys, tenant, joined("file", upload.rail, {base::to_hex(digest), period}));
  part.lines_total = static_cast<std::uint32_t>(statement.lines.size());
  part.parts = static_cast<std::uint32_t>(std::max<std::size_t>(1, (statement.lines.size() + model::statement_part_lines_max - 1) / model::statement_part_lines_max));

  StatementParts result;
  result.name = statement.id;
  std::map<std::string, std::uint32_t> copies;   // lines that nothing tells apart are counted
  for (std::uint32_t number = 1; number <= part.parts; ++number) {
    part.part = number;
    part.lines.clear();
    const std::size_t first = (number - 1) * model::statement_part_lines_max;
    const std::size_t last = std::min(first + model::statement_part_lines_max, statement.lines.size());
    for (std::size_t i = first; i < last; ++i) {
      const intake::BookedLine& line = statement.lines[i];
      part.lines.push_back(line_of(keys, epochs, tenant, upload.rail, line, copies[words_of(line)]++));
    }
    result.parts.push_back(part);
  }
  return result;
}

model::Admitted Gate::take_first(model::Admitted& several) {
  CHECK(!several.commands.empty() && !several.is_batch);
  model::Admitted one;
  one.tenant = several.tenant;
  one.principal = several.principal;
  one.trace = several.trace;
  one.commands.push_back(std::move(several.commands.front()));
  several.commands.erase(several.commands.begin());
  // What says which command it belongs to: that of the first goes along, the rest moves up.
  const auto split = [](auto& from, auto& into) {
    const auto rest = std::ranges::find_if(from, [](const auto& entry) { return entry.command != 0; });
    into.assign(std::make_move_iterator(from.begin()), std::make_move_iterator(rest));
    from.erase(from.begin(), rest);
    for (auto& entry : from) --entry.command;
  };
  split(several.names, one.names);
  split(several.privates, one.privates);
  if (const auto& tag = one.commands.front().idempotency) {
    std::ranges::copy_if(several.former_tags, std::back_inserter(one.former_tags), [&](const model::IdempotencyTag& former) { return former.key == tag->key; });
  }
  return one;
}

}  // namespace gate
