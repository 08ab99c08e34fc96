#include "model/entry.h"

#include <algorithm>
#include <utility>

#include "model/command_codec.h"
#include "model/event_codec.h"

namespace model {

namespace {

// Most bytes that the maps can take, so that a writer needs no check of its own. A pair of key and number takes at most
// 10, an amount 19, a digest 35, a side 4 * 19 + 4 * 10 + 2, an idempotency tag 115; the sums are rounded up.
constexpr std::size_t head_bytes_max = 48;      // entry map, version, instant, heads of command and of events
constexpr std::size_t command_bytes_max = 448;  // without the elements of lists
constexpr std::size_t item_bytes_max = 320;
constexpr std::size_t line_bytes_max = 192;     // of a statement
constexpr std::size_t number_bytes_max = 9;
constexpr std::size_t event_bytes_max = 448;    // without the elements of lists
constexpr std::size_t choice_bytes_max = 24;
constexpr std::size_t facts_bytes_max = 160;    // of a key, without its material

std::size_t facts_bytes(const std::optional<Boxed<KeyFacts>>& facts) {
  return facts ? (*facts)->spki.size() + facts_bytes_max : 0;
}

std::size_t bytes_max(const Command& command) {
  std::size_t size = command_bytes_max;
  if (const auto* transfer = std::get_if<CreateTransfer>(&command.body))
    size += transfer->items.size() * item_bytes_max;
  if (const auto* batch = std::get_if<RecordBatch>(&command.body)) size += batch->answers.size() * number_bytes_max;
  if (const auto* statement = std::get_if<RecordStatement>(&command.body)) size += statement->lines.size() * line_bytes_max;
  if (const auto* import = std::get_if<ImportKey>(&command.body)) size += facts_bytes(import->facts);
  return size;
}

std::size_t list_bytes_max(const Event& event) {
  if (const auto* route = std::get_if<RouteDecided>(&event.body)) return route->choices.size() * choice_bytes_max;
  if (const auto* import = std::get_if<ImportReceived>(&event.body)) return facts_bytes(import->facts);
  return 0;
}

std::uint8_t* write_command(std::uint8_t* at, const Command& command) {
  FieldWriter c(at);
  c.required_number(0, static_cast<std::uint64_t>(operation_of(command.body)));
  c.number(1, command.tenant);
  c.number(2, command.principal);
  c.tag_if_any(3, command.trace);
  c.optional_nested(4, command.idempotency);
  std::visit([&c](const auto& body) { describe(c, body); }, command.body);
  return c.close();
}

std::uint8_t* write_event(std::uint8_t* at, const Event& event) {
  FieldWriter c(at);
  c.required_number(0, event_kinds[event.body.index()]);
  c.required_instant(1, event.at);
  std::visit([&c](const auto& body) { describe(c, body); }, event.body);
  return c.close();
}

// Operation of the alternative at `index`, found from a value of that very type.
template <std::size_t index>
Operation operation_at() {
  return operation_of(CommandBody(std::in_place_index<index>));
}

// Puts the alternative whose number is `wanted` into `body`, and describes it; false if there is none.
template <std::size_t... index>
bool read_command_body(FieldReader& c, std::uint64_t wanted, CommandBody& body, std::index_sequence<index...>) {
  static const std::array<Operation, sizeof...(index)> operations = {operation_at<index>()...};
  return ((static_cast<std::uint64_t>(operations[index]) == wanted && (describe(c, body.emplace<index>()), true)) ||
          ...);
}
template <std::size_t... index>
bool read_event_body(FieldReader& c, std::uint64_t wanted, EventBody& body, std::index_sequence<index...>) {
  return ((event_kinds[index] == wanted && (describe(c, body.emplace<index>()), true)) || ...);
}

void read_command(base::CborReader& in, Command& command) {
  FieldReader c(in);
  std::uint64_t operation = 0;
  c.required_number(0, operation);
  c.number(1, command.tenant);
  c.number(2, command.principal);
  c.tag_if_any(3, command.trace);
  c.optional_nested(4, command.idempotency);
  constexpr auto alternatives = std::make_index_sequence<std::variant_size_v<CommandBody>>();
  if (!read_command_body(c, operation, command.body, alternatives)) in.fail();
  c.close();
}

void read_event(base::CborReader& in, Event& event) {
  FieldReader c(in);
  std::uint64_t kind = 0;
  c.required_number(0, kind);
  c.required_instant(1, event.at);
  constexpr auto alternatives = std::make_index_sequence<std::variant_size_v<EventBody>>();
  if (!read_event_body(c, kind, event.body, alternatives)) in.fail();
  c.close();
}

base::Error malformed(const char* code, const base::CborReader& in) {
  return {code, "not the canonical bytes; reading stopped at byte " + std::to_string(in.position())};
}

}  // namespace

void encode_entry(base::Bytes& out, std::vector<ByteRange>& ranges, base::Instant at, const Command& command,
                  std::span<const Event> events) {
  CHECK(!events.empty());
  const std::size_t start = out.size();
  std::size_t lists = 0;
  for (const Event& event : events) lists += list_bytes_max(event);
  out.resize(start + head_bytes_max + bytes_max(command) + events.size() * event_bytes_max + lists);

  FieldWriter entry(out.data() + start);
  entry.required_number(0, entry_version);
  entry.required_instant(1, at);
  entry.put_key(2);
  entry.go_to(write_command(entry.at(), command));
  entry.put_key(3);
  entry.put_head(4, events.size());
  for (const Event& event : events) {
    const std::uint8_t* const begin = entry.at();
    entry.go_to(write_event(entry.at(), event));
    ranges.push_back({static_cast<std::uint32_t>(begin - out.data()), static_cast<std::uint32_t>(entry.at() - begin)});
  }
  const auto end = static_cast<std::size_t>(entry.close() - out.data());
  CHECK(end <= out.size());
  out.resize(end);
}

base::Result<Entry> decode_entry(base::ByteView bytes, EventNumber first_event, std::vector<ByteRange>* ranges) {
  base::CborReader in(bytes);
  Entry entry;
  entry.first_event = first_event;

  FieldReader c(in);
  std::uint64_t version = 0;
  c.required_number(0, version);
  if (!in.failed() && version != entry_version) {
    return base::Error{"entry_version_unknown", "entry version " + std::to_string(version) + " is not known here"};
  }
  c.required_instant(1, entry.at);
  if (c.present(2)) read_command(in, entry.command);
  c.advance();
  if (!c.present(3)) return malformed("entry_malformed", in);
  const std::uint64_t count = in.array().value_or(0);
  if (count == 0) in.fail();
  // A head may lie about what follows; no event is shorter than this.
  constexpr std::size_t event_bytes_min = 5;
  if (!in.failed()) entry.events.reserve(std::min<std::size_t>(count, bytes.size() / event_bytes_min / 4 + 1));
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    const std::size_t begin = in.position();
    read_event(in, entry.events.emplace_back());
    if (ranges != nullptr) {
      ranges->push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(in.position() - begin)});
    }
  }
  c.advance();
  c.close();
  if (!in.done()) return malformed("entry_malformed", in);
  if (const auto* transfer = std::get_if<CreateTransfer>(&entry.command.body); transfer && transfer->items.empty()) {
    return malformed("entry_malformed", in);
  }
  return entry;
}

void encode_event(base::Bytes& out, const Event& event) {
  const std::size_t start = out.size();
  out.resize(start + event_bytes_max + list_bytes_max(event));
  const std::uint8_t* const end = write_event(out.data() + start, event);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

base::Result<Event> decode_event(base::ByteView bytes) {
  base::CborReader in(bytes);
  Event event;
  read_event(in, event);
  if (!in.done()) return malformed("event_malformed", in);
  return event;
}

}  // namespace model
