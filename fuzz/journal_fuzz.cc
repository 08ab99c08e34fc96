// rooms: store io
// A segment file of anybody's making: scanned, read, verified, opened. The first byte says how much of it is made to
// look intact (checksums of headers, tables and frames), so that the code behind the checksums is reached as well.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "io/clock.h"
#include "io/simulated_file.h"
#include "store/journal/group.h"
#include "store/journal/journal.h"
#include "store/journal/layout.h"
#include "store/journal/verify.h"

namespace {

constexpr std::uint64_t image_bytes = 64 << 10;

void fix_sector(base::Bytes& image, std::uint64_t at) {
  const std::uint32_t crc = base::crc32c(base::ByteView(image).subspan(at, store::sector_bytes - 4));
  base::store_le(image.data() + at + store::sector_bytes - 4, crc);
}

void fix_group(base::Bytes& image, std::uint64_t at, bool parts) {
  fix_sector(image, at);
  store::GroupHeader header;
  if (store::decode_header(base::ByteView(image).subspan(at, store::sector_bytes), header) != store::SectorState::good)
    return;
  if (header.group_bytes() > image.size() - at || !parts) return;
  const std::span<std::uint8_t> group = std::span(image).subspan(at, header.group_bytes());
  const std::uint64_t table_at = header.body_begin() + header.table_offset;
  const std::uint64_t body_end = header.body_begin() + header.body_bytes;
  if (body_end - table_at >= 4) {
    base::store_le(group.data() + body_end - 4,
                   base::crc32c(base::ByteView(group).subspan(table_at, body_end - table_at - 4)));
  }
  for (std::uint64_t frame = header.body_begin(); frame + store::frame_head_bytes <= table_at;) {
    const store::FrameHead head = store::load_frame_head(group.data() + frame);
    if (head.entry_bytes > table_at - frame - store::frame_head_bytes) break;
    store::store_frame_head(group.subspan(frame, store::frame_head_bytes + head.entry_bytes), head.event_count);
    frame += store::frame_head_bytes + head.entry_bytes;
  }
  store::encode_map(base::ByteView(group).subspan(header.header_bytes()),
                    group.subspan(store::sector_bytes,
                                  store::map_sectors(group.size() - header.header_bytes()) * store::sector_bytes));
  fix_sector(image, at);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t fix = data[0];
  base::Bytes image(image_bytes);
  std::memcpy(image.data(), data + 1, std::min<std::size_t>(size - 1, image.size()));
  if ((fix & 1) != 0) fix_sector(image, 0);
  if ((fix & 2) != 0) fix_group(image, store::block_bytes, (fix & 4) != 0);
  if ((fix & 8) != 0) fix_sector(image, image.size() - store::sector_bytes);

  io::SimulatedFileSystem files(1);
  io::DurableState state;
  state.directories.insert("journal");
  state.files["journal/00000001.seg"] = std::move(image);
  files.install(state);

  const std::array<std::uint8_t, 32> secret{};
  const audit::Blinding blinding(secret, 0);
  audit::Frontier frontier;
  if (auto reader = store::JournalReader::open(files, "journal", 0); reader.ok()) {
    for (model::EventNumber event = 0; event < 5; ++event) {
      (void)(*reader)->read_entry(event).ok();
      (void)(*reader)->read_group(event).ok();
      (void)(*reader)->read_private(event, model::PrivateField::account_name).ok();
    }
    (void)(*reader)
        ->for_each_group(1, {.body_hash = true, .blinding = &blinding, .frontier = &frontier},
                         [](const store::GroupView& group) -> base::Status {
                           TRY(group.for_each_private([](const store::StoredPrivate&) { return base::ok(); }));
                           return group.for_each_entry([](const store::EntryView&) { return base::ok(); });
                         })
        .ok();
  }
  (void)store::verify_journal(files, "journal", {.blinding = &blinding}).ok();
  io::SimulatedClock clock;
  store::JournalOptions options;
  options.directory = "journal";
  options.segment_bytes = image_bytes;
  options.clock = &clock;
  (void)store::Journal::open(files, options).ok();
  return 0;
}
