// holdfast doctor: what could keep a service from running well on this machine, each thing with advice; and, with jwks, what keeps us
// from a partner's keys.

#include <sys/resource.h>

#include <chrono>
#include <thread>

#include "apps/holdfast/certificate_dates.h"
#include "apps/holdfast/commands.h"
#include "apps/holdfast/sync_time.h"
#include "base/text.h"
#include "io/clock.h"
#include "io/posix_file.h"
#include "io/secret_memory.h"
#include "io/socket.h"
#include "node/configuration.h"
#include "node/data_directory.h"
#include "store/journal/reader.h"
#include "wire/json_writer.h"

namespace holdfast {

namespace {

enum class Verdict { ok, warn, fail };

struct Line {
  std::string subject;
  Verdict verdict = Verdict::ok;
  std::string finding;
  std::string advice;      ///< empty if there is nothing to do
};

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::warn: return "warn";
    case Verdict::fail: return "FAIL";
  }
  return "";
}

std::string microseconds(std::uint64_t ns) { return std::to_string(ns / 1000) + " us"; }

class Doctor {
 public:
  Doctor(io::FileSystem& files, node::Configuration configuration, std::string directory)
      : files_(files), configuration_(std::move(configuration)), directory_(std::move(directory)) {}

  void look() {
    look_at_machine();
    if (look_at_directory()) {
      look_at_permissions();
      look_at_disk();
      look_at_journal();
    }
    look_at_certificate();
    look_at_ports();
  }
  const std::vector<Line>& lines() const { return lines_; }
  bool good() const {
    for (const Line& line : lines_) {
      if (line.verdict == Verdict::fail) return false;
    }
    return true;
  }

 private:
  void add(std::string subject, Verdict verdict, std::string finding, std::string advice = {}) {
    lines_.push_back({std::move(subject), verdict, std::move(finding), std::move(advice)});
  }
  void add_error(std::string subject, const base::Error& error, std::string advice = {}) {
    add(std::move(subject), Verdict::fail, error.message + " [" + error.code + "]", std::move(advice));
  }

  void look_at_machine();
  void look_at_clock(io::Clock& clock);
  bool look_at_directory();
  void look_at_permissions();
  void look_at_disk();
  void look_at_journal();
  void look_at_certificate();
  void look_at_ports();

  io::FileSystem& files_;
  const node::Configuration configuration_;
  const std::string directory_;
  store::DataMode mode_ = store::DataMode::standard;
  bool in_use_ = false;
  std::vector<Line> lines_;
};

void Doctor::look_at_machine() {
  const auto clock = io::RealClock::open();
  if (!clock.ok()) {
    add_error("clock", clock.error());
  } else {
    look_at_clock(**clock);
  }
  constexpr std::uint64_t descriptors_wanted = 16'384;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const bool enough = limit.rlim_max >= descriptors_wanted;
  add("descriptors", enough ? Verdict::ok : Verdict::warn, std::to_string(limit.rlim_max) + " at most",
      enough ? "" : "raise LimitNOFILE: every connection takes one");
  const auto memory = io::SecretMemory::allocate(4096);
  if (memory.ok()) {
    add("locked memory", Verdict::ok, "keys stay out of swap");
  } else {
    add_error("locked memory", memory.error(), "raise LimitMEMLOCK");
  }
}

// Both clocks have to run at the same speed, and the wall clock has to be somewhere sensible.
void Doctor::look_at_clock(io::Clock& clock) {
  constexpr std::int64_t year_2025_ns = 1'735'689'600'000'000'000;
  constexpr std::int64_t drift_max_ns = 5'000'000;
  const base::Instant wall = clock.wall();
  const std::int64_t boot = clock.boot_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const std::int64_t boot_after = clock.boot_ns();
  const std::int64_t drift = (clock.wall().ns - wall.ns) - (boot_after - boot);
  if (wall.ns < year_2025_ns) {
    add("clock", Verdict::fail, "the wall clock says " + base::to_rfc3339(wall), "set the clock: expiries and certificates go by it");
  } else if (drift > drift_max_ns || drift < -drift_max_ns) {
    add("clock", Verdict::warn, "the wall clock moved " + microseconds(static_cast<std::uint64_t>(std::abs(drift))) + " against the boot clock in 200 ms",
        "is something setting the time? a jump of more than " + std::to_string(configuration_.service.time.jump_max.ns / 1'000'000'000) +
            " s suspends expiries");
  } else {
    add("clock", Verdict::ok, base::to_rfc3339(wall) + ", runs with the boot clock");
  }
}

bool Doctor::look_at_directory() {
  const auto mode = node::DataDirectory::mode_of(files_, directory_);
  if (!mode.ok()) {
    add_error("data directory", mode.error());
    return false;
  }
  mode_ = *mode;
  const auto lock = node::DataDirectory::lock(files_, directory_);
  in_use_ = !lock.ok() && std::string_view(lock.error().code) == "data_directory_locked";
  if (!lock.ok() && !in_use_) {
    add_error("data directory", lock.error());
    return false;
  }
  add("data directory", Verdict::ok,
      "format " + std::to_string(store::data_format_version) + (mode_ == store::DataMode::dev ? ", made with --dev" : "") +
          (in_use_ ? ", a service works on it" : ", not in use"));
  return true;
}

void Doctor::look_at_permissions() {
  const node::DataPlace place{.directory = directory_, .mode = mode_, .master_key_file = configuration_.master_key_file};
  const std::string key = node::usual_master_key_file(place);
  const auto key_info = files_.info(key);
  if (!key_info.ok()) {
    add_error("master key", key_info.error(), "without it the data directory opens for nobody: name it with custody.master_key_file");
  } else if (const base::Status checked = custody::check_master_key_file(*key_info, key); !checked.ok()) {
    add_error("master key", checked.error());
  } else {
    add("master key", Verdict::ok, key);
  }
  std::vector<std::pair<std::string, std::uint32_t>> paths{{directory_, 0022}, {node::keys_directory(directory_), 0077}};
  if (mode_ == store::DataMode::dev) paths.emplace_back(node::dev_directory(directory_), 0077);
  if (!configuration_.tls.key_file.empty()) paths.emplace_back(configuration_.tls.key_file, 0037);
  bool good = true;
  for (const auto& [path, forbidden] : paths) {
    const auto info = files_.info(path);
    if (!info.ok()) {
      add_error("permissions", info.error());
      good = false;
    } else if ((info->mode & forbidden) != 0) {
      add("permissions", Verdict::fail, path + " is open to others", "chmod go-rwx " + path);
      good = false;
    }
  }
  if (good) add("permissions", Verdict::ok, "keys and data are the owner's alone");
}

void Doctor::look_at_disk() {
  constexpr std::uint64_t slow_ns = 10'000'000, too_slow_ns = 100'000'000;
  constexpr std::uint64_t gib = 1u << 30;
  const auto time = measure_sync_time(files_, directory_);
  if (!time.ok()) {
    add_error("disk sync", time.error());
  } else {
    const Verdict verdict = time->median_ns > too_slow_ns ? Verdict::fail : time->median_ns > slow_ns ? Verdict::warn : Verdict::ok;
    add("disk sync", verdict, microseconds(time->median_ns) + " to make 4 KiB durable (median of " + std::to_string(time->count) + "), worst " + microseconds(time->worst_ns),
        verdict == Verdict::ok ? "" : "every answer waits for this: use a disk with power-loss protection");
  }
  const auto space = files_.free_space(directory_);
  if (!space.ok()) return add_error("disk space", space.error());
  const std::uint64_t reserve = configuration_.service.pipeline.space_reserve_bytes + 2 * configuration_.service.recovery.segment_bytes;
  const Verdict verdict = *space < reserve ? Verdict::fail : *space < gib ? Verdict::warn : Verdict::ok;
  add("disk space", verdict, std::to_string(*space >> 20) + " MiB free",
      verdict == Verdict::ok ? "" : "below " + std::to_string(reserve >> 20) + " MiB nothing that changes something is taken");
}

void Doctor::look_at_journal() {
  if (in_use_) return add("journal", Verdict::ok, "in use; the service checked it when it started");
  const auto reader = store::JournalReader::open(files_, node::journal_directory(directory_), 0);
  if (!reader.ok() && std::string_view(reader.error().code) == "file_not_found") return add("journal", Verdict::ok, "none yet");
  if (!reader.ok()) return add_error("journal", reader.error(), "do not delete anything; restore a backup beside it and compare");
  const store::JournalEnd end = (*reader)->end();
  const auto clock = io::RealClock::open();
  const bool behind = clock.ok() && (*clock)->wall() < end.at;
  add("journal", behind ? Verdict::warn : Verdict::ok,
      std::to_string(end.next_event - 1) + " events, the last at " + base::to_rfc3339(end.at) + (end.sealed ? ", sealed" : ", not sealed: the last stop was not in good order"),
      behind ? "the wall clock lies behind the journal: set it, or expiries stay suspended" : "");
}

void Doctor::look_at_certificate() {
  constexpr std::uint64_t bytes_max = 1 << 20;
  constexpr std::int64_t day_ns = 86'400'000'000'000;
  std::string path = configuration_.tls.certificate_file;
  if (path.empty() && mode_ == store::DataMode::dev) path = node::dev_directory(directory_) + "/server.pem";
  if (path.empty()) return add("certificate", Verdict::warn, "the configuration names none", "tls.certificate_file and tls.key_file are needed except with --dev");
  const auto pem = io::read_whole_file(files_, path, bytes_max);
  if (!pem.ok()) return add_error("certificate", pem.error());
  const auto dates = certificate_dates(base::as_text(*pem));
  const auto clock = io::RealClock::open();
  if (!dates.ok()) return add_error("certificate", dates.error());
  if (!clock.ok()) return add_error("certificate", clock.error());
  const base::Instant now = (*clock)->wall();
  const std::int64_t days = (dates->not_after - now).ns / day_ns;
  if (now < dates->not_before) return add("certificate", Verdict::fail, "not good before " + base::to_rfc3339(dates->not_before), "is the clock right?");
  if (now >= dates->not_after) return add("certificate", Verdict::fail, "ended " + base::to_rfc3339(dates->not_after), "renew it, then send SIGHUP to the service");
  add("certificate", days < 14 ? Verdict::warn : Verdict::ok, "good for " + std::to_string(days) + " days",
      days < 14 ? "renew it, then send SIGHUP to the service" : "");
}

void Doctor::look_at_ports() {
  for (const io::Endpoint& at : {configuration_.listen, configuration_.operator_listen}) {
    const auto listener = io::Listener::open(at);
    if (listener.ok()) {
      add("port " + at.text(), Verdict::ok, "free");
    } else if (in_use_) {
      add("port " + at.text(), Verdict::ok, "taken, by the running service it seems");
    } else {
      add_error("port " + at.text(), listener.error(), "choose another with listen or operator_listen");
    }
  }
}

int run_doctor(const Arguments& arguments) {
  io::RealFileSystem files;
  const auto directory = arguments.value("--data");
  if (!directory) return fail({"options_contradict", "doctor needs --data DIR"});
  node::Configuration configuration;
  if (const auto file = arguments.value("--config")) {
    auto loaded = node::load_configuration(files, absolute_path(*file));
    if (!loaded.ok()) return fail(loaded.error());
    configuration = std::move(loaded).value();
  }
  Doctor doctor(files, std::move(configuration), absolute_path(*directory));
  doctor.look();
  std::string text;
  if (arguments.json()) {
    wire::JsonWriter json(text);
    json.begin_object();
    json.member("good", doctor.good());
    json.key("lines");
    json.begin_array();
    for (const Line& line : doctor.lines()) {
      json.begin_object();
      json.member("subject", std::string_view(line.subject));
      json.member("verdict", line.verdict == Verdict::fail ? "fail" : to_text(line.verdict));
      json.member("finding", std::string_view(line.finding));
      if (!line.advice.empty()) json.member("advice", std::string_view(line.advice));
      json.end_object();
    }
    json.end_array();
    json.end_object();
  } else {
    for (const Line& line : doctor.lines()) {
      std::string subject = line.subject;
      subject.resize(std::max<std::size_t>(22, subject.size()), ' ');
      std::string verdict(to_text(line.verdict));
      verdict.resize(5, ' ');
      text.append(verdict).append(" ").append(subject).append(" ").append(line.finding).append("\n");
      if (!line.advice.empty()) text.append(29, ' ').append(line.advice).append("\n");
    }
  }
  print(text);
  return doctor.good() ? exit_done : exit_failed;
}

}  // namespace

Command doctor_command() {
  return {.name = "doctor",
          .summary = "is this machine fit to run it? can a partner's keys be reached?",
          .examples = "  holdfast doctor --data /var/lib/holdfast --config /etc/holdfast.toml\n"
                      "  holdfast doctor jwks https://id.partner.example/.well-known/jwks.json\n"
                      "  holdfast doctor jwks https://id.partner.example/.well-known/openid-configuration --json\n",
          .verbs = {{.name = "",
                     .operands = "",
                     .summary = "looks at clock, disk, permissions, keys, certificate, ports and journal; changes nothing",
                     .options = {{"--data", "DIR", "the data directory"}, {"--config", "FILE", "settings the service is started with"}},
                     .run = run_doctor},
                    doctor_jwks_verb()},
          .notes = "Exit code 1 if a line says FAIL, 2 for an address that is never asked. The steps and their codes: docs/key-sets.md.\n"};
}

}  // namespace holdfast
