#include "model/entry.h"

#include <doctest/doctest.h>

#include <string>

#include "base/cbor.h"
#include "base/text.h"

using namespace model;

namespace {

base::Bytes encoded(const Entry& entry) {
  base::Bytes bytes;
  std::vector<ByteRange> ranges;
  encode_entry(bytes, ranges, entry.at, entry.command, entry.events);
  return bytes;
}

base::Bytes encoded(const Event& event) {
  base::Bytes bytes;
  encode_event(bytes, event);
  return bytes;
}

base::Digest digest_of(std::uint8_t first) {
  base::Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::uint8_t>(first + i);
  return digest;
}

base::Tag128 tag_of(std::uint8_t first) {
  base::Tag128 tag;
  for (std::size_t i = 0; i < tag.size(); ++i) tag[i] = static_cast<std::uint8_t>(first + i);
  return tag;
}

IdempotencyTag idempotency_of(std::uint8_t first, std::uint8_t fields) {
  IdempotencyTag tag{.key = tag_of(first), .fingerprint = tag_of(static_cast<std::uint8_t>(first + 1)), .fields = {}};
  tag.field_count = fields;
  for (std::uint8_t i = 0; i < fields; ++i) tag.fields[i] = 0x01020304u * (i + 1u);
  return tag;
}

const Asset usd = *parse_asset("USD/2");
const base::U128 big = base::make_u128(0x7fffffffffffffff, 0xffffffffffffffff);
const AccountLimits limits{.debit_amount_max = 1, .daily_debits_max = big, .balance_max = 0};
const Side side{.account = 7,
                .after = {.debits_posted = 1, .credits_posted = big, .debits_pending = 3, .credits_pending = 4},
                .links = {.previous = 5, .previous_64 = 6, .previous_4096 = event_number_max}};

const TransferItem full_item{.debit = 1,
                             .credit = 2,
                             .asset = usd,
                             .amount = big,
                             .hold = true,
                             .hold_for = base::seconds(60),
                             .reference = digest_of(1),
                             .reference_key = tag_of(2),
                             .metadata = digest_of(3),
                             .idempotency = idempotency_of(4, fingerprint_fields_max)};

RailProfile full_profile() {
  RailProfile profile{.capabilities = all_rail_capabilities,
                      .directions = payouts | collects,
                      .amount_min = 1,
                      .amount_max = big,
                      .cost_fixed = big,
                      .cost_basis_points = 10'000,
                      .rate_per_second = 500,
                      .countries = {}};
  for (std::size_t i = 0; i < profile.countries.size(); ++i) profile.countries[i] = static_cast<Country>(0x4145 + i);
  return profile;
}

const RailName bank = *parse_rail_name("bank-a");
const RailRequest full_request{.account = 5,
                               .asset = usd,
                               .amount = big,
                               .wanted = 3,
                               .wanted_unknown = true,
                               .country = *parse_country("DE"),
                               .instrument = 7,
                               .approvals = 2,
                               .send_within = base::seconds(60),
                               .beneficiary = digest_of(1),
                               .reference = digest_of(2),
                               .reference_key = tag_of(3),
                               .metadata = digest_of(4)};
const RouteChoice full_choice{.rail = UINT16_MAX, .verdict = route_verdict_last, .success = UINT16_MAX, .value = INT64_MIN};
const RailHealth full_health{.successes = 1,
                             .attempts = 2,
                             .recent_faults = 3,
                             .recent_attempts = UINT64_MAX,
                             .observed_at = {5},
                             .latency = {6},
                             .open_until = {7},
                             .faults_in_a_row = 8,
                             .openings_in_a_row = UINT16_MAX,
                             .breaker = Breaker::open};

const StatementLine full_line{.line = UINT32_MAX,
                              .amount = big,
                              .credit = true,
                              .booked_at = {INT64_MAX},
                              .reference = event_number_max,
                              .rail_reference_key = tag_of(1),
                              .identity = tag_of(2),
                              .asset = usd,
                              .rail_reference = digest_of(3),
                              .named = true};

// Every alternative with every optional field.
KeyFacts full_facts() {
  return {.spki = {0x30, 0x01},
          .form = KeyForm::certificate,
          .algorithm = KeyAlgorithm::x448,
          .bits = 448,
          .pin = digest_of(1),
          .fingerprint = digest_of(2),
          .thumbprint = digest_of(3),
          .not_before = {4},
          .not_after = {5}};
}

std::array<std::uint16_t, import_causes_max> full_causes() {
  std::array<std::uint16_t, import_causes_max> causes{};
  causes.fill(UINT16_MAX);
  return causes;
}

std::vector<CommandBody> full_commands() {
  return {
      OpenTenant{.name = digest_of(1), .existing = 9},
      RegisterAsset{.asset = *parse_asset("ABCDEFGHIJKLMN.9/30"), .world_name = digest_of(2)},
      OpenAccount{
          .name = digest_of(3), .asset = usd, .flags = 1, .limits = limits, .metadata = digest_of(4), .existing = 8},
      ChangeAccountFlags{.account = 5, .set = closed, .clear = frozen_for_debits},
      SetAccountLimits{.account = 6, .limits = limits},
      CreateTransfer{.items = {full_item, full_item}},
      CaptureHold{.hold = 7, .standing = HoldStanding::expired, .amount = 0},
      VoidHold{.hold = event_number_max, .standing = HoldStanding::not_found},
      CancelKey{.cancelled = tag_of(1), .used_by = 3},
      RecordBatch{.answers = {1, 0, UINT64_MAX}},
      CreateClient{
          .kind = PrincipalKind::person, .scopes = all_scopes, .name = digest_of(5), .secret_hash = digest_of(6)},
      RotateClient{.client = 3, .secret_hash = digest_of(7), .overlap = base::seconds(3600)},
      RevokeClient{.client = 4},
      Tick{.expiries_max = 256},
      ConfirmClock{.jump = base::seconds(-90)},
      BumpEpoch{.epoch = 2},
      ChangeLogKey{.version = 2, .public_key = digest_of(3)},
      ConfigureRail{.name = *parse_rail_name("abcdefghijklmnopqrstuvwxyz-01234"),
                    .asset = usd,
                    .profile = full_profile(),
                    .clearing_name = digest_of(1),
                    .suspense_name = digest_of(2),
                    .clearing = 3,
                    .suspense = 4},
      ControlRail{.rail = 2, .paused = true, .maintenance_from = {5}, .maintenance_until = {INT64_MAX}},
      CreatePayout{full_request},
      CreateCollect{full_request},
      CancelTransfer{.transfer = event_number_max},
      ReviewTransfer{.transfer = 5, .approve = true, .reason = digest_of(5)},
      ResolveUnknown{.transfer = 6, .verdict = Verdict::failed, .reason = digest_of(6)},
      RefundTransfer{.original = 7,
                     .standing = {.found = true, .posted = true, .debit = 1, .credit = 2, .amount = big},
                     .amount = 0,
                     .approvals = 1,
                     .reference = digest_of(7),
                     .reference_key = tag_of(8),
                     .metadata = digest_of(9)},
      ReportRail{.reference = 9,
                 .transfer = 8,
                 .attempt = attempts_max,
                 .rail = 3,
                 .source = ReportSource::recovery,
                 .result = RailResult::settled,
                 .reason = RailReason::other,
                 .inquiry = 4,
                 .latency = base::milliseconds(12),
                 .amount = 0,
                 .asset = usd,
                 .rail_reference = digest_of(1),
                 .body = digest_of(2),
                 .rail_reference_key = tag_of(3)},
      CreateWebhook{.url = digest_of(1), .events = 0x1FFFF, .flags = all_webhook_flags, .key = {tag_of(2), digest_of(3)}},
      ChangeWebhook{.webhook = UINT32_MAX,
                    .url = digest_of(1),
                    .events = bit_of(WebhookEvent::transfer_settled),
                    .set = webhook_ordered,
                    .clear = webhook_enabled,
                    .cause = WebhookCause::endpoint_gone},
      RemoveWebhook{.webhook = 2},
      RotateWebhook{.webhook = 2, .key = {tag_of(4), digest_of(5)}, .overlap = base::seconds(60)},
      MarkWebhook{.webhook = 2, .told_through = event_number_max},
      RecordStatement{.rail = 3,
                      .format = StatementFormat::mt940,
                      .file = tag_of(1),
                      .name = digest_of(2),
                      .from = {4},
                      .until = {INT64_MAX},
                      .part = statement_parts_max,
                      .parts = statement_parts_max,
                      .lines_total = UINT32_MAX,
                      .lines = {full_line, full_line}},
      ResolveException{.exception = 9, .end = ExceptionEnd::linked, .transfer = event_number_max, .reason = digest_of(3)},
      ImportKey{.partner = *parse_rail_name("bank-a"),
                .key = *parse_rail_name("callbacks"),
                .purpose = KeyPurpose::tls_peer,
                .verdict = ImportVerdict::secret_sent,
                .facts = full_facts(),
                .causes = full_causes(),
                .findings = digest_of(4),
                .responsible = digest_of(5),
                .staged = true,
                .activate_at = {INT64_MAX},
                .overlap = base::seconds(60),
                .certificate = digest_of(6)},
      ChallengeImport{.import = event_number_max, .nonce = digest_of(6), .origin = {'o'}},
      ProveImport{.import = 9, .nonce = digest_of(7), .verified = true},
      ReviewImport{.import = 9, .approve = true, .reason = digest_of(8)},
      SteerKey{.key = 3, .version = 2, .verb = KeyVerb::destroy, .reason = digest_of(9)},
  };
}

std::vector<EventBody> full_events() {
  return {
      TenantOpened{.tenant = 2, .name = digest_of(1)},
      AssetRegistered{.number = 3, .tenant = 1, .asset = usd},
      AccountOpened{.number = 4,
                    .tenant = 1,
                    .asset = 3,
                    .name = digest_of(2),
                    .flags = 63,
                    .limits = limits,
                    .metadata = digest_of(3)},
      AccountFlagsChanged{.account = 4, .flags = closed, .counters = side.after},
      AccountLimitsSet{.account = 4, .limits = limits},
      TransferPosted{.amount = big,
                     .asset = 1,
                     .debit = side,
                     .credit = side,
                     .group = 9,
                     .reference = digest_of(4),
                     .metadata = digest_of(5)},
      HoldPlaced{.amount = 1,
                 .asset = 1,
                 .debit = side,
                 .credit = side,
                 .expires_at = {INT64_MAX},
                 .group = 9,
                 .reference = digest_of(4),
                 .metadata = digest_of(5)},
      HoldResolved{.hold = 8,
                   .resolution = HoldResolution::expired,
                   .held = 9,
                   .captured = 8,
                   .asset = 1,
                   .debit = side,
                   .credit = side},
      Refused{.outcome = Outcome::exceeds_available_balance,
              .operation = Operation::create_transfer,
              .debit = 1,
              .credit = 2,
              .amount = 3,
              .subject = 4,
              .trace = tag_of(9)},
      KeyCancelled{.key = tag_of(3)},
      BatchRecorded{.items = 8190},
      ClientCreated{.number = 2,
                    .tenant = 1,
                    .kind = PrincipalKind::service,
                    .scopes = transfers_write,
                    .name = digest_of(8),
                    .secret_hash = digest_of(9)},
      ClientRotated{.number = 2, .secret_hash = digest_of(1), .former_valid_until = {77}, .generation = 3},
      ClientRevoked{.number = 2, .generation = 4},
      ClockConfirmed{.jump = base::seconds(7200)},
      EpochBumped{.epoch = 2},
      LogKeyChanged{.version = 2, .public_key = digest_of(4)},
      RailConfigured{.number = rails_max, .tenant = 1, .asset = 2, .clearing = 3, .suspense = 4, .name = bank, .profile = full_profile()},
      RailControlled{.rail = 1, .paused = true, .maintenance_from = {1}, .maintenance_until = {2}},
      RailObserved{.rail = 1, .health = full_health, .country = {1, 2, 3}, .instrument = {4, 5, 6}},
      TransferRequested{.kind = TransferKind::recall,
                        .account = 5,
                        .requester = 6,
                        .asset = 1,
                        .amount = big,
                        .wanted = 2,
                        .country = *parse_country("FR"),
                        .instrument = 3,
                        .approvals = 2,
                        .send_by = {INT64_MAX},
                        .original = 8,
                        .original_attempt = 9,
                        .beneficiary = digest_of(1),
                        .reference = digest_of(2),
                        .metadata = digest_of(3)},
      TransferMoved{.transfer = 9,
                    .from = TransferState::outcome_unknown,
                    .to = TransferState::reversed,
                    .cause = MoveCause::refund,
                    .reason = RailReason::other,
                    .rail = 3,
                    .hold = 10,
                    .due = {11},
                    .alarm_at = {12}},
      RouteDecided{.transfer = 9, .choices = std::vector<RouteChoice>(route_choices_max, full_choice), .due = {INT64_MAX}},
      AttemptStarted{.transfer = 9,
                     .attempt = 255,
                     .rail = 4,
                     .kind = TransferKind::collect,
                     .asset = 1,
                     .amount = big,
                     .original = 5,
                     .original_attempt = 6,
                     .probe = true,
                     .send_not_after = {INT64_MAX}},
      AttemptReported{.transfer = 9,
                      .attempt = 1,
                      .rail = 4,
                      .source = ReportSource::statement,
                      .result = RailResult::rejected,
                      .reason = RailReason::rail_busy,
                      .latency = {5},
                      .amount = 0,
                      .rail_reference = digest_of(1),
                      .body = digest_of(2),
                      .rail_reference_key = tag_of(3)},
      InquiryStarted{.transfer = 9, .attempt = 1, .rail = 4, .inquiry = UINT32_MAX, .is_void = true, .due = {5}},
      VoteRecorded{.transfer = 9, .person = 4, .vote = VoteKind::resolve_failed, .counted = 2, .needed = 2, .reason = digest_of(3)},
      CaseOpened{.transfer = 9, .attempt = 1, .rail = 4, .kind = CaseKind::recall_failed, .amount = big, .posting = 8},
      ReportIgnored{.transfer = 9,
                    .attempt = 1,
                    .source = ReportSource::inquiry,
                    .result = RailResult::not_sent,
                    .reason = RailReason::not_found_at_rail,
                    .why = IgnoredWhy::absence_not_proven,
                    .amount = big,
                    .body = digest_of(2)},
      AgeAlarmRaised{.transfer = 9, .state = TransferState::manual_review, .since = {4}},
      HoldRedirected{.hold = 9, .amount = big, .asset = 1, .debit = side, .credit = side},
      RefundCounted{.original = 9, .refund = 10, .asset = 1, .captured = big, .pending = 2, .posted = 3},
      WebhookCreated{.number = 2,
                     .tenant = 1,
                     .events = 0x1FFFF,
                     .flags = all_webhook_flags,
                     .url = digest_of(1),
                     .key = {tag_of(2), digest_of(3)}},
      WebhookChanged{.number = 2, .events = 1, .flags = webhook_ordered, .url = digest_of(4), .cause = WebhookCause::failed_for_long},
      WebhookRemoved{.number = 2},
      WebhookRotated{.number = 2, .key = {tag_of(5), digest_of(6)}, .former_valid_until = {INT64_MAX}},
      WebhookMarked{.number = 2, .told_through = event_number_max},
      StatementRecorded{.statement = 5,
                        .rail = 3,
                        .format = StatementFormat::camt053,
                        .file = tag_of(1),
                        .name = digest_of(2),
                        .from = {4},
                        .until = {INT64_MAX},
                        .part = 2,
                        .parts = statement_parts_max,
                        .lines_total = UINT32_MAX,
                        .lines_new = 7,
                        .lines_known = 8,
                        .repeated = true},
      LineRecorded{.statement = 5,
                   .line = UINT32_MAX,
                   .rail = 3,
                   .amount = big,
                   .credit = true,
                   .booked_at = {INT64_MAX},
                   .result = LineResult::currency_differs,
                   .attempt = 6,
                   .belongs_to = 7,
                   .matched_by = 4,
                   .rail_reference_key = tag_of(1),
                   .identity = tag_of(2),
                   .asset = usd,
                   .rail_reference = digest_of(3)},
      LineLinked{.line = 9, .result = LineResult::duplicate, .attempt = 6, .belongs_to = 7, .matched_by = 3},
      ExceptionOpened{.rail = 3,
                      .kind = ExceptionKind::duplicate,
                      .party = ExceptionParty::holdfast,
                      .statement = 5,
                      .line = 6,
                      .orphan = 7,
                      .attempt = 8,
                      .belongs_to = 9,
                      .expected = big,
                      .stated = 1,
                      .credit = true},
      ExceptionVoted{.exception = 9, .person = 4, .end = ExceptionEnd::linked, .belongs_to = 5, .counted = 1, .needed = 2, .reason = digest_of(1)},
      ExceptionResolved{.exception = 9, .end = ExceptionEnd::explained, .posting = 10, .attempt = 11},
      OrphanRecorded{.rail = 3,
                     .source = ReportSource::callback,
                     .result = RailResult::rejected,
                     .reason = RailReason::rail_busy,
                     .amount = big,
                     .rail_reference_key = tag_of(1),
                     .rail_reference = digest_of(2),
                     .body = digest_of(3)},
      StatementSwept{.statement = 5, .lines_to = {6}, .line = 7, .attempts_to = {8}, .attempt = 9, .done = true},
      PartnerOpened{.number = 2, .tenant = 1, .name = *parse_rail_name("bank-a")},
      KeyOpened{.number = 3, .partner = 2, .name = *parse_rail_name("callbacks"), .purpose = KeyPurpose::encrypt},
      ImportReceived{.tenant = 1,
                     .importer = 4,
                     .partner = 2,
                     .key = 3,
                     .partner_name = *parse_rail_name("bank-a"),
                     .key_name = *parse_rail_name("callbacks"),
                     .purpose = KeyPurpose::verify_callbacks,
                     .facts = full_facts(),
                     .causes = full_causes(),
                     .findings = digest_of(1),
                     .responsible = digest_of(2),
                     .staged = true,
                     .activate_at = {5},
                     .overlap = base::seconds(6),
                     .certificate = digest_of(3)},
      ImportMoved{.import = 9, .from = ImportState::waiting, .to = ImportState::provisional, .cause = ImportCause::expiry, .due = {6}},
      ImportChallenged{.import = 9, .nonce = digest_of(3), .expires_at = {7}, .origin = {'o', 'p'}},
      ImportVoted{.import = 9, .person = 5, .approve = true, .counted = 1, .needed = 2, .reason = digest_of(4)},
      KeyVersionAdded{.key = 3, .version = 1, .import = 9, .proven = true, .due = {8}, .warn_at = {9}},
      KeyVersionMoved{.key = 3,
                      .version = 1,
                      .from = KeyState::active,
                      .to = KeyState::compromised,
                      .cause = KeyCause::confirmation_missing,
                      .due = {10},
                      .usable_until = {11},
                      .reason = digest_of(5)},
      KeyExpiryWarned{.key = 3, .version = 1, .days = 30, .not_after = {12}, .next_at = {13}},
  };
}

Entry entry_of(CommandBody body) {
  return {.first_event = 100,
          .at = {1'800'000'000'000'000'000},
          .command = {.tenant = 1,
                      .principal = 2,
                      .trace = tag_of(0xA0),
                      .idempotency = idempotency_of(0x50, 3),
                      .body = std::move(body)},
          .events = {Event{.at = {5}, .body = EpochBumped{.epoch = 1}}}};
}

Entry single_transfer() {
  TransferItem item{.debit = 11,
                    .credit = 12,
                    .asset = usd,
                    .amount = 2500,
                    .reference = {},
                    .metadata = {},
                    .idempotency = idempotency_of(1, 9)};
  const base::Instant at{1'800'000'000'000'000'000};
  TransferPosted posted{.amount = 2500,
                        .asset = 1,
                        .debit = {.account = 11, .after = {}, .links = {}},
                        .credit = {.account = 12, .after = {}, .links = {}},
                        .reference = {},
                        .metadata = {}};
  posted.debit.after.debits_posted = 1'000'000;
  posted.debit.after.credits_posted = 90'000'000;
  posted.debit.links = {.previous = 4'000'000, .previous_64 = 3'999'000, .previous_4096 = 3'000'000};
  posted.credit.after.credits_posted = 70'000;
  posted.credit.links = {.previous = 4'100'000};
  return {.first_event = 42,
          .at = at,
          .command = {.tenant = 1,
                      .principal = 3,
                      .trace = tag_of(7),
                      .idempotency = {},
                      .body = CreateTransfer{.items = {item}}},
          .events = {Event{.at = at, .body = posted}}};
}

// Copies one item of any kind through the plain reader and writer.
void copy_item(base::CborReader& in, base::CborWriter& out) {
  switch (in.peek()) {
    case base::CborKind::uint:
      out.uint(in.uint().value());
      return;
    case base::CborKind::negative:
      out.sint(in.sint().value());
      return;
    case base::CborKind::bytes:
      out.bytes(in.bytes().value());
      return;
    case base::CborKind::text:
      out.text(in.text().value());
      return;
    case base::CborKind::tag:
      out.amount(in.amount().value());
      return;
    case base::CborKind::boolean:
      out.boolean(in.boolean().value());
      return;
    case base::CborKind::array: {
      const std::uint64_t items = in.array().value();
      out.array(items);
      for (std::uint64_t i = 0; i < items; ++i) copy_item(in, out);
      return;
    }
    case base::CborKind::map: {
      const std::uint64_t pairs = in.map().value();
      out.map(pairs);
      for (std::uint64_t i = 0; i < pairs * 2; ++i) copy_item(in, out);
      return;
    }
    default:
      REQUIRE_MESSAGE(false, "an item the formats do not use");
  }
}

// Deterministic noise for the random round trips (splitmix64).
struct Noise {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  bool coin() { return next() % 2 == 0; }
  // Every width of a number is as likely as another.
  std::uint64_t number(std::uint64_t max) { return coin() ? 0 : (next() >> (next() % 64)) & max; }
  base::U128 amount() { return base::make_u128(number(INT64_MAX), number(UINT64_MAX)); }
  base::Tag128 tag() { return coin() ? base::Tag128{} : tag_of(static_cast<std::uint8_t>(next())); }
  std::optional<base::Digest> digest() {
    return coin() ? std::nullopt : std::optional(digest_of(static_cast<std::uint8_t>(next())));
  }
  std::optional<base::U128> bound() { return coin() ? std::nullopt : std::optional(amount()); }
  Side side() {
    return {.account = static_cast<AccountNumber>(number(UINT32_MAX)),
            .after = {amount(), amount(), amount(), amount()},
            .links = {number(event_number_max), number(event_number_max), number(event_number_max)}};
  }
};

}  // namespace

TEST_CASE("every command survives a round trip with all its fields and with none") {
  for (const CommandBody& body : full_commands()) {
    CAPTURE(body.index());
    const Entry entry = entry_of(body);
    const auto back = decode_entry(encoded(entry), 100);
    REQUIRE(back.ok());
    CHECK(*back == entry);
    CHECK(is_operation(static_cast<std::uint64_t>(operation_of(body))));
  }
  std::size_t alternatives = 0;
  for (const CommandBody& body : full_commands()) alternatives = std::max(alternatives, body.index() + 1);
  CHECK(alternatives == std::variant_size_v<CommandBody>);

  const std::vector<CommandBody> bare = {
      OpenTenant{},
      OpenAccount{.name = {}, .asset = usd, .flags = 0, .limits = {}, .metadata = {}},
      ChangeAccountFlags{},
      SetAccountLimits{},
      CreateTransfer{.items = {TransferItem{.asset = usd, .reference = {}, .metadata = {}, .idempotency = {}}}},
      CaptureHold{},
      VoidHold{},
      CancelKey{},
      RecordBatch{},
      CreateClient{},
      RotateClient{},
      RevokeClient{},
      Tick{.expiries_max = 0},
      ConfirmClock{},
      BumpEpoch{},
      ChangeLogKey{},
      ControlRail{},
      CreatePayout{{.asset = usd, .beneficiary = {}, .reference = {}, .metadata = {}}},
      CreateCollect{{.asset = usd, .beneficiary = {}, .reference = {}, .metadata = {}}},
      CancelTransfer{},
      ReviewTransfer{},
      ResolveUnknown{},
      RefundTransfer{},
      ReportRail{},
      CreateWebhook{.flags = 0},
      ChangeWebhook{},
      RemoveWebhook{},
      RotateWebhook{},
      MarkWebhook{},
      RecordStatement{.name = {}, .part = 0, .parts = 0, .lines = {StatementLine{.asset = usd, .rail_reference = {}}}},
      ResolveException{},
      ImportKey{.partner = *parse_rail_name("a"), .key = *parse_rail_name("b"), .facts = {}, .findings = {}, .responsible = {}},
      ChallengeImport{.origin = {'o'}},
      ProveImport{},
      ReviewImport{},
      SteerKey{}};
  for (const CommandBody& body : bare) {
    Entry entry = entry_of(body);
    entry.command.tenant = 0;
    entry.command.principal = 0;
    entry.command.trace = {};
    entry.command.idempotency.reset();
    const auto back = decode_entry(encoded(entry), 100);
    REQUIRE(back.ok());
    CHECK(*back == entry);
  }
}

TEST_CASE("every event survives a round trip, alone and in an entry") {
  CHECK(full_events().size() == std::variant_size_v<EventBody>);
  Entry entry = entry_of(Tick{});
  entry.events.clear();
  for (const EventBody& body : full_events()) {
    const Event event{.at = {1'700'000'000'000'000'000}, .body = body};
    const auto back = decode_event(encoded(event));
    REQUIRE(back.ok());
    CHECK(*back == event);
    entry.events.push_back(event);
  }
  base::Bytes bytes = {1, 2, 3};  // appended behind what is there
  std::vector<ByteRange> ranges;
  encode_entry(bytes, ranges, entry.at, entry.command, entry.events);
  REQUIRE(ranges.size() == entry.events.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto alone = encoded(entry.events[i]);
    const base::ByteView inside = base::ByteView(bytes).subspan(ranges[i].offset, ranges[i].size);
    CHECK(std::equal(alone.begin(), alone.end(), inside.begin(), inside.end()));
  }
  std::vector<ByteRange> found;
  const auto back = decode_entry(base::ByteView(bytes).subspan(3), 100, &found);
  REQUIRE(back.ok());
  CHECK(*back == entry);
  REQUIRE(found.size() == ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    CHECK(found[i].offset + 3 == ranges[i].offset);
    CHECK(found[i].size == ranges[i].size);
  }
}

TEST_CASE("golden bytes of entries and events") {
  // Committed bytes: a change here is a change of the format and needs a new version (docs/format/entry.md).
  CHECK(base::to_hex(encoded(single_transfer())) ==
        "a40001011b18fae27693b4000002a5000a0101020303500708090a0b0c0d0e0f101112131415160581a5010b020c0382"
        "6355534402041909c40aa401500102030405060708090a0b0c0d0e0f10025002030405060708090a0b0c0d0e0f101103"
        "0104582404030201080604020c090603100c0804140f0a0518120c061c150e0720181008241b12090381a6000a011b18"
        "fae27693b40000021909c4030104a6011a000f4240021a055d4a80050b061a003d0900071a003d0518081a002dc6c005"
        "a3021a00011170050c061a003e8fa0");
  const Event refused{.at = {1}, .body = full_events()[8]};
  CHECK(base::to_hex(encoded(refused)) == "a9000f0101021875030a04010502060307040850090a0b0c0d0e0f101112131415161718");
  Entry opened = entry_of(full_commands()[2]);
  CHECK(base::to_hex(encoded(opened)) ==
        "a40001011b18fae27693b4000002ab0003010102020350a0a1a2a3a4a5a6a7a8a9aaabacadaeaf04a401505051525354"
        "55565758595a5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603055820"
        "030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212206826355534402070108a3010102c250"
        "7fffffffffffffffffffffffffffffff03000958200405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e"
        "1f202122230a080381a300181f01050201");
}

namespace {

// Where commands and events of imports and keys begin.
constexpr std::size_t first_of_keys = 33;
constexpr std::size_t first_event_of_keys = 45;

std::string golden_of(const CommandBody& body) { return base::to_hex(encoded(entry_of(body))).substr(110); }   // the sender's fields are alike

}  // namespace

TEST_CASE("golden bytes of rails and of transfers over them") {
  std::vector<std::string> found;
  for (const CommandBody& body : full_commands()) {
    if (body.index() >= 17 && body.index() < first_of_keys) found.push_back(golden_of(body));
  }
  for (EventBody body : full_events()) {
    if (body.index() < 17 || body.index() >= first_event_of_keys) continue;
    if (auto* route = std::get_if<RouteDecided>(&body)) route->choices.resize(2);
    found.push_back(base::to_hex(encoded(Event{.at = {1}, .body = body})));
  }
  const std::vector<std::string> golden = {
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603057820616263646566"
      "6768696a6b6c6d6e6f707172737475767778797a2d30313233340682635553440207b001187f0203030104c2507fffff"
      "ffffffffffffffffffffffffff05c2507fffffffffffffffffffffffffffffff06192710071b000000012a05f200081b"
      "00000002540be400091b0000000df84758000a1b0000034630b8a0000b1a773594000c1b00000045d964b8000d18180e"
      "1901000f1901f4105820454146414741484149414a414b414c414d414e414f4150415141524153415441085820010203"
      "0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2009582002030405060708090a0b0c0d0e0f1011"
      "12131415161718191a1b1c1d1e1f20210a030b040381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050206f50705081b7f"
      "ffffffffffffff0381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050506826355534402"
      "07c2507fffffffffffffffffffffffffffffff080309f50a1944450b070c020d1b0000000df84758000e582001020304"
      "05060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200f582002030405060708090a0b0c0d0e0f101112"
      "131415161718191a1b1c1d1e1f20211050030405060708090a0b0c0d0e0f1011121158200405060708090a0b0c0d0e0f"
      "101112131415161718191a1b1c1d1e1f202122230381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050506826355534402"
      "07c2507fffffffffffffffffffffffffffffff080309f50a1944450b070c020d1b0000000df84758000e582001020304"
      "05060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200f582002030405060708090a0b0c0d0e0f101112"
      "131415161718191a1b1c1d1e1f20211050030405060708090a0b0c0d0e0f1011121158200405060708090a0b0c0d0e0f"
      "101112131415161718191a1b1c1d1e1f202122230381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603051b0000ffffffffff"
      "ff0381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050506f50758200506"
      "0708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223240381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050606020758200607"
      "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324250381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050706a501f502f503"
      "01040205c2507fffffffffffffffffffffffffffffff070008010958200708090a0b0c0d0e0f10111213141516171819"
      "1a1b1c1d1e1f202122232425260a5008090a0b0c0d0e0f10111213141516170b5820090a0b0c0d0e0f10111213141516"
      "1718191a1b1c1d1e1f2021222324252627280381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050906080718400803"
      "09060a040b18200c040d1a00b71b000e000f8263555344021058200102030405060708090a0b0c0d0e0f101112131415"
      "161718191a1b1c1d1e1f2011582002030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20211250"
      "030405060708090a0b0c0d0e0f1011120381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603055820010203040506"
      "0708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20061a0001ffff070708a2015002030405060708090a0b"
      "0c0d0e0f1011025820030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021220381a300181f01"
      "050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603051affffffff065820"
      "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20071880080209010a030381a300181f01"
      "050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c09060305020381a300181f01"
      "050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050206a20150040506"
      "0708090a0b0c0d0e0f1011121302582005060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324"
      "071b0000000df84758000381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c0906030502061b0000ffffff"
      "ffffff0381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050306030750010203"
      "0405060708090a0b0c0d0e0f1008582002030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021"
      "09040a1b7fffffffffffffff0b1903e80c1903e80d1affffffff0e82aa011affffffff02c2507fffffffffffffffffff"
      "ffffffffffff03f5041b7fffffffffffffff051b0000ffffffffffff06500102030405060708090a0b0c0d0e0f100750"
      "02030405060708090a0b0c0d0e0f101108826355534402095820030405060708090a0b0c0d0e0f101112131415161718"
      "191a1b1c1d1e1f2021220af5aa011affffffff02c2507fffffffffffffffffffffffffffffff03f5041b7fffffffffff"
      "ffff051b0000ffffffffffff06500102030405060708090a0b0c0d0e0f10075002030405060708090a0b0c0d0e0f1011"
      "08826355534402095820030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021220af50381a300"
      "181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c09060305090603071b0000ff"
      "ffffffffff085820030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021220381a300181f0105"
      "0201",
      "a90018280101021904000301040205030604076662616e6b2d6108b001187f0203030104c2507fffffffffffffffffff"
      "ffffffffffff05c2507fffffffffffffffffffffffffffffff06192710071b000000012a05f200081b00000002540be4"
      "00091b0000000df84758000a1b0000034630b8a0000b1a773594000c1b00000045d964b8000d18180e1901000f1901f4"
      "105820454146414741484149414a414b414c414d414e414f4150415141524153415441",
      "a60018290101020103f504010502",
      "a600182a0101020103aa010102020303041bffffffffffffffff05050606070708080919ffff0a0104a3010102020303"
      "05a3010402050306",
      "b1001832010102030305040105c2507fffffffffffffffffffffffffffffff060207194652080309020a1b7fffffffff"
      "ffffff0b080c58200102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200d58200203040506"
      "0708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20210e5820030405060708090a0b0c0d0e0f1011121314"
      "15161718191a1b1c1d1e1f2021220f061009",
      "ab001833010102090307040f050b0618200703080a090b0a0c",
      "a5001834010102090382a40119ffff02120319ffff043b7fffffffffffffffa40119ffff02120319ffff043b7fffffff"
      "ffffffff041b7fffffffffffffff",
      "ac001835010102090318ff04040502060107c2507fffffffffffffffffffffffffffffff080509f50a1b7fffffffffff"
      "ffff0b06",
      "ad0018360101020903010404050406020706080509000a58200102030405060708090a0b0c0d0e0f1011121314151617"
      "18191a1b1c1d1e1f200b582002030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20210c500304"
      "05060708090a0b0c0d0e0f101112",
      "a80018370101020903010404051affffffff06f50705",
      "a8001838010102090304040405020602075820030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
      "202122",
      "a80018390101020903010404050606c2507fffffffffffffffffffffffffffffff0708",
      "aa00183a0101020903010403050106181c070708c2507fffffffffffffffffffffffffffffff09582002030405060708"
      "090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021",
      "a500183b0101020903080404",
      "a700183c0101020903c2507fffffffffffffffffffffffffffffff040105a8010102c2507fffffffffffffffffffffff"
      "ffffffff03030404050706050706081b0000ffffffffffff06a8010102c2507fffffffffffffffffffffffffffffff03"
      "030404050706050706081b0000ffffffffffff",
      "a800183d01010209030a040105c2507fffffffffffffffffffffffffffffff06020703",
      "a8001846010102020301041a0001ffff05070658200102030405060708090a0b0c0d0e0f101112131415161718191a1b"
      "1c1d1e1f2007a2015002030405060708090a0b0c0d0e0f1011025820030405060708090a0b0c0d0e0f10111213141516"
      "1718191a1b1c1d1e1f202122",
      "a700184701010202030104020558200405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222306"
      "02",
      "a300184801010202",
      "a50018490101020203a2015005060708090a0b0c0d0e0f1011121314025820060708090a0b0c0d0e0f10111213141516"
      "1718191a1b1c1d1e1f202122232425041b7fffffffffffffff",
      "a400184a01010202031b0000ffffffffffff",
      "af00183e010102050303040205500102030405060708090a0b0c0d0e0f1006582002030405060708090a0b0c0d0e0f10"
      "1112131415161718191a1b1c1d1e1f20210704081b7fffffffffffffff09020a1903e80b1affffffff0c070d080ef5",
      "b000183f01010205031affffffff040305c2507fffffffffffffffffffffffffffffff06f5071b7fffffffffffffff08"
      "0409060a070b040c500102030405060708090a0b0c0d0e0f100d5002030405060708090a0b0c0d0e0f10110e82635553"
      "44020f5820030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122",
      "a7001840010102090305040605070603",
      "ad0018410101020303050403050506060707080809090ac2507fffffffffffffffffffffffffffffff0b010cf5",
      "a900184201010209030404030505060107020858200102030405060708090a0b0c0d0e0f101112131415161718191a1b"
      "1c1d1e1f20",
      "a6001843010102090305040a050b",
      "aa0018440101020303020402050606c2507fffffffffffffffffffffffffffffff07500102030405060708090a0b0c0d"
      "0e0f1008582002030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202109582003040506070809"
      "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122",
      "a800184501010205030604070508060907f5",
  };
  REQUIRE(found.size() == golden.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i] == golden[i]);
  }
}

TEST_CASE("golden bytes of imports and keys") {
  std::vector<std::string> found;
  for (const CommandBody& body : full_commands()) {
    if (body.index() >= first_of_keys) found.push_back(golden_of(body));
  }
  for (const EventBody& body : full_events()) {
    if (body.index() >= first_event_of_keys) found.push_back(base::to_hex(encoded(Event{.at = {1}, .body = body})));
  }
  const std::vector<std::string> golden = {
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603056662616e6b2d6106"
      "6963616c6c6261636b730704080309a9014230010202030b041901c00558200102030405060708090a0b0c0d0e0f1011"
      "12131415161718191a1b1c1d1e1f2006582002030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
      "2021075820030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122080409050a5820ffffffff"
      "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff0b58200405060708090a0b0c0d0e0f1011121314"
      "15161718191a1b1c1d1e1f202122230c582005060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122"
      "23240df50e1b7fffffffffffffff0f1b0000000df8475800105820060708090a0b0c0d0e0f101112131415161718191a"
      "1b1c1d1e1f2021222324250381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603051b0000ffffffffff"
      "ff065820060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242507416f0381a300181f010502"
      "01",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c09060305090658200708090a"
      "0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252607f50381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050906f50758200809"
      "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242526270381a300181f01050201",
      "5b5c5d5e5f02505152535455565758595a5b5c5d5e5f600301044c04030201080604020c090603050306020705085820"
      "090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627280381a300181f01050201",
      "a5001850010102020301046662616e6b2d61",
      "a6001851010102030302046963616c6c6261636b730503",
      "b100185201010201030404020503066662616e6b2d61076963616c6c6261636b73080209a9014230010202030b041901"
      "c00558200102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2006582002030405060708090a"
      "0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021075820030405060708090a0b0c0d0e0f101112131415161718"
      "191a1b1c1d1e1f202122080409050a5820ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
      "ff0b58200102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200c582002030405060708090a"
      "0b0c0d0e0f101112131415161718191a1b1c1d1e1f20210df50e050f1b0000000165a0bc00105820030405060708090a"
      "0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122",
      "a7001853010102090303040805050606",
      "a600185401010209035820030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122040705426f"
      "70",
      "a800185501010209030504f5050106020758200405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
      "212223",
      "a8001856010102030301040905f506080709",
      "aa001857010102030301040205070608070a080b09582005060708090a0b0c0d0e0f101112131415161718191a1b1c1d"
      "1e1f2021222324",
      "a700185801010203030104181e050c060d",
  };
  REQUIRE(found.size() == golden.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i] == golden[i]);
  }
}

TEST_CASE("what captured messages said has numbers of its own, and older ones keep theirs") {
  const ImportMoved moved{.import = 9, .from = ImportState::received, .to = ImportState::rejected, .cause = ImportCause::trial, .due = {}};
  CHECK(base::to_hex(encoded(Event{.at = {1}, .body = moved})) == "a600185301010209030104060506");
  for (const ImportVerdict verdict : {ImportVerdict::proven, ImportVerdict::trial_failed}) {
    ImportKey body{.partner = *parse_rail_name("bank-a"), .key = *parse_rail_name("callbacks"), .verdict = verdict, .facts = {}, .findings = {}, .responsible = {}};
    const Entry entry = entry_of(body);
    const auto read = decode_entry(encoded(entry), entry.first_event);
    REQUIRE(read.ok());
    CHECK(std::get<ImportKey>(read->command.body) == body);
  }
}

TEST_CASE("suspensions because of a certificate have numbers of their own") {
  KeyVersionMoved moved{.key = 3, .version = 1, .from = KeyState::active, .to = KeyState::suspended, .cause = KeyCause::certificate_revoked, .reason = {}};
  CHECK(base::to_hex(encoded(Event{.at = {1}, .body = moved})) == "a7001857010102030301040205060609");
  moved.cause = KeyCause::revocation_unknown;
  CHECK(base::to_hex(encoded(Event{.at = {1}, .body = moved})) == "a700185701010203030104020506060a");
  for (const KeyVerb verb : {KeyVerb::suspend_revoked, KeyVerb::suspend_unknown}) {
    const SteerKey body{.key = 3, .version = 1, .verb = verb, .reason = {}};
    const Entry entry = entry_of(body);
    const auto read = decode_entry(encoded(entry), entry.first_event);
    REQUIRE(read.ok());
    CHECK(std::get<SteerKey>(read->command.body) == body);
  }
}

TEST_CASE("the fast writer's bytes are those of the plain CBOR writer") {
  for (const EventBody& body : full_events()) {
    Entry entry = entry_of(Tick{.expiries_max = 100'000});
    entry.events = {Event{.at = {1'700'000'000'000'000'000}, .body = body}};
    const base::Bytes bytes = encoded(entry);
    base::CborReader in(bytes);
    base::Bytes again;
    base::CborWriter out(again);
    copy_item(in, out);
    CHECK(in.done());
    CHECK(again == bytes);
  }
}

TEST_CASE("random entries come back as they were, and their bytes have one spelling") {
  Noise noise{20261122};
  for (int round = 0; round < 3000; ++round) {
    Entry entry;
    entry.first_event = 1;
    entry.at = {static_cast<std::int64_t>(noise.number(INT64_MAX))};
    entry.command.tenant = static_cast<TenantNumber>(noise.number(UINT32_MAX));
    entry.command.trace = noise.tag();
    CreateTransfer create;
    for (std::uint64_t i = noise.next() % 4 + 1; i > 0; --i) {
      TransferItem item;
      item.debit = static_cast<AccountNumber>(noise.number(UINT32_MAX));
      item.credit = static_cast<AccountNumber>(noise.number(UINT32_MAX));
      item.asset = noise.coin() ? usd : *parse_asset("X/0");
      item.amount = noise.amount();
      item.hold = noise.coin();
      item.hold_for = {static_cast<std::int64_t>(noise.number(INT64_MAX))};
      item.reference = noise.digest();
      item.reference_key = noise.tag();
      item.metadata = noise.digest();
      if (noise.coin()) {
        item.idempotency = idempotency_of(static_cast<std::uint8_t>(noise.next()),
                                          static_cast<std::uint8_t>(noise.next() % (fingerprint_fields_max + 1)));
      }
      create.items.push_back(item);
      EventBody body;
      switch (noise.next() % 4) {
        case 0:
          body = TransferPosted{.amount = noise.amount(),
                                .asset = 1,
                                .debit = noise.side(),
                                .credit = noise.side(),
                                .group = noise.number(event_number_max),
                                .reference = noise.digest(),
                                .metadata = noise.digest()};
          break;
        case 1:
          body = HoldPlaced{.amount = noise.amount(),
                            .asset = 1,
                            .debit = noise.side(),
                            .credit = noise.side(),
                            .expires_at = {static_cast<std::int64_t>(noise.number(INT64_MAX))},
                            .group = 0,
                            .reference = noise.digest(),
                            .metadata = noise.digest()};
          break;
        case 2:
          body = AccountOpened{.number = 1,
                               .tenant = 1,
                               .asset = 1,
                               .name = digest_of(1),
                               .flags = static_cast<AccountFlags>(noise.number(63)),
                               .limits = {noise.bound(), noise.bound(), noise.bound()},
                               .metadata = noise.digest()};
          break;
        default:
          body = Refused{.outcome = Outcome::hold_expired,
                         .operation = Operation::none,
                         .debit = 1,
                         .credit = 0,
                         .amount = noise.amount(),
                         .subject = noise.number(event_number_max),
                         .trace = noise.tag()};
      }
      entry.events.push_back({entry.at, body});
    }
    entry.command.body = create;
    const base::Bytes bytes = encoded(entry);
    const auto back = decode_entry(bytes, 1);
    REQUIRE(back.ok());
    REQUIRE(*back == entry);

    // Whatever a damaged byte makes of it: refused, or the one spelling of another entry.
    base::Bytes damaged = bytes;
    damaged[noise.next() % damaged.size()] ^= static_cast<std::uint8_t>(1u << (noise.next() % 8));
    if (const auto other = decode_entry(damaged, 1); other.ok()) REQUIRE(encoded(*other) == damaged);
  }
}

TEST_CASE("an entry cut anywhere, lengthened or flipped in any bit is refused or has one spelling") {
  for (const CommandBody& body : full_commands()) {
    const base::Bytes bytes = encoded(entry_of(body));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto cut = decode_entry(base::ByteView(bytes).first(size), 1);
      REQUIRE_FALSE(cut.ok());
      REQUIRE(std::string(cut.error().code) == "entry_malformed");
    }
    base::Bytes more = bytes;
    more.push_back(0);
    CHECK(std::string(decode_entry(more, 1).error().code) == "entry_malformed");
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      base::Bytes flipped = bytes;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      if (const auto other = decode_entry(flipped, 1); other.ok()) REQUIRE(encoded(*other) == flipped);
    }
  }
  for (const EventBody& body : full_events()) {
    const base::Bytes bytes = encoded(Event{.at = {9}, .body = body});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto cut = decode_event(base::ByteView(bytes).first(size));
      REQUIRE_FALSE(cut.ok());
      REQUIRE(std::string(cut.error().code) == "event_malformed");
    }
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      base::Bytes flipped = bytes;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      if (const auto other = decode_event(flipped); other.ok()) REQUIRE(encoded(*other) == flipped);
    }
  }
}

TEST_CASE("what is not canonical or out of range is refused") {
  const auto taken = [](const std::string& hex) {
    const auto bytes = base::parse_hex(hex);
    REQUIRE(bytes.has_value());
    return decode_event(*bytes).ok();
  };
  CHECK(taken("a300181f01050201"));  // epoch_bumped {at: 5, epoch: 1}
  const std::pair<const char*, const char*> refused[] = {
      {"keys out of order", "a3010500181f0201"},
      {"a key twice", "a400181f010502010201"},
      {"an unknown key", "a400181f010502010301"},
      {"a key that is no small number", "a400181f010502011903e801"},
      {"the first number that is no key, last and without a value",
       "a9000f0101021875030a0850090a0b0c7474747474740013141516171818"},
  };
  for (const auto& [why, hex] : refused) {
    CAPTURE(why);
    CHECK_FALSE(taken(hex));
  }
  CHECK(taken("a3000f0105021875"));          // refused {outcome: 117}
  CHECK_FALSE(taken("a3000f0105021903e7"));  // no such outcome
  CHECK(taken("a4000f0105021875030a"));
  CHECK_FALSE(taken("a4000f0105021875030f"));  // no such operation
  CHECK(taken("a4000f0105021875071b0000ffffffffffff"));
  CHECK_FALSE(taken("a4000f0105021875071b0001000000000000"));  // beyond 48 bits
  CHECK(taken("a4000f010502187506c2507f" + std::string(30, 'f')));
  CHECK_FALSE(taken("a4000f010502187506c25080" + std::string(30, '0')));  // 2^127
  CHECK(taken("a400040105020403183f"));
  CHECK_FALSE(taken("a4000401050204031840"));  // no such flag
  CHECK_FALSE(
      taken("a4000501050201"
            "03a0"));                                           // an empty map that would have been left out
  CHECK_FALSE(taken("a300100105024f" + std::string(30, '1')));  // 15 bytes for a tag
}

TEST_CASE("an unknown version is told apart from damage") {
  base::Bytes bytes = encoded(single_transfer());
  REQUIRE(bytes[1] == 0);
  REQUIRE(bytes[2] == entry_version);
  bytes[2] = entry_version + 1;
  CHECK(std::string(decode_entry(bytes, 1).error().code) == "entry_version_unknown");
}
