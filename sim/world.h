#pragma once
// The false world: one seed, one life story. The seed picks sizes, workload, interleavings and faults; the twin judges every
// entry and every answer; after every restart everything is compared. docs/simulation.md says what is promised and checked.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "gate/gate.h"
#include "sim/faults.h"
#include "sim/outside.h"
#include "sim/process.h"
#include "sim/rail_workload.h"
#include "sim/twin.h"
#include "sim/workload.h"

namespace sim {

struct Story {
  std::uint64_t seed = 1;
  std::uint64_t commands = 10'000;
  std::uint64_t faults = 24;
  bool rails = true;               ///< payouts and collects over simulated rails besides
  std::uint64_t rails_percent = 8; ///< steps in which something is asked for over rails
  FaultSet rows = FaultSet::all(); ///< the named faults that may happen
  std::uint64_t kill_at_step = 0;  ///< the process dies after this step as well; 0 never
  bool verbose = false;
};

/// What happened, for the summary.
struct Figures {
  std::uint64_t commands = 0;      ///< items of requests that were sent, repeats included
  std::uint64_t entries = 0;
  std::uint64_t events = 0;
  std::uint64_t replays = 0;       ///< answers from memory
  std::uint64_t faults = 0;        ///< faults that were planted or delivered
  std::uint64_t crashes = 0;
  std::uint64_t damage_found = 0;  ///< flipped or lying bytes that were named instead of served
  std::uint64_t snapshots = 0;
  std::uint64_t runs_rebuilt = 0;
  std::uint64_t transfers = 0;     ///< over rails
  std::uint64_t attempts = 0;
  std::uint64_t with_people = 0;   ///< left in manual_review
  std::uint64_t rail_faults = 0;   ///< of rails and their networks
  void add(const Figures& other);
};

struct Verdict {
  Complaint violation;
  std::uint64_t step = 0;
  std::string digest;              ///< of everything that became durable and of every answer
  Figures figures;
};

/// Where the story is, for whoever must report an abort (CHECK) in the middle of it.
struct Place {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
};
extern Place place;

class World {
 public:
  explicit World(const Story& story);
  Verdict run();

 private:
  enum class FaultKind {
    power_loss, crash, kill, io_error, torn_write, disk_full, failed_sync, small_disk, slow_disk, wall_jump, flip_at_rest,
    flip_alive, lying_run, crash_in_recovery,
    freeze, upgrade,   // of stories with rails
  };
  static constexpr std::size_t fault_kinds = 14, fault_kinds_with_rails = 16;
  static Row row_of(FaultKind kind);
  std::vector<FaultKind> kinds_of_story() const;
  using PrivateValues = std::vector<store::StoredPrivate>;   // of one entry's events
  struct Flip {
    std::string path;
    std::uint64_t offset = 0;
    int bit = 0;
  };
  /// What checking a recovered process led to: a complaint, or an error of reading (damage that was found).
  struct Checked {
    Complaint complaint;
    std::optional<base::Error> error;
  };

  // Each returns when the story cannot go on, with violation_ set.
  void tell();
  void step();
  void drift();
  void kill_if_told();
  void act();
  void send(std::shared_ptr<const Request> request, bool over_rails);
  void ask();
  // --- rails (world_rails.cc) ---
  void start_outside();
  void live_with_rails();
  void hear(int most);
  void let_time_pass();
  void report_answered(std::uint64_t trace, bool taken);
  bool is_quiet() const;
  void quiet_down();
  std::string open_transfers() const;
  void end_of_rails();
  void audit_rails();
  void confirm_clock();
  void upgrade();
  void start_fault(FaultKind kind);
  void plan_call_fault(io::Fault fault, std::uint64_t within);
  void end_lasting_faults();
  void jump_wall_clock();
  void move_wall_clock();
  void time_passes_while_down(io::CrashMode mode);
  void check_clock();
  void after(base::Status status);
  void die(io::CrashMode mode);
  void restart();
  void recover_and_compare();
  bool open(bool with_faults);
  void flip_at_rest();
  void flip_alive();
  void unflip();
  void lie_and_crash();
  void finish();
  void on_durable(const store::SealedGroup* group, node::OutgoingGroup& outgoing, std::int64_t core_minus_boot_ns);
  void take_answer(node::PendingAnswer& pending);
  /// Lets the twin take the entries through `position` that became durable.
  void take_entries(model::EventNumber position);
  Checked check_recovered(Process& process, Twin& twin);
  Checked check_keys(Process& process, const Twin& twin);
  void compare_when_idle();
  void violate(const std::string& sentence);
  void note(std::string_view text, std::uint64_t value);
  std::optional<Flip> choose_byte(bool only_settled);
  bool percent(std::uint64_t share) { return random_.below(100) < share; }

  const Story story_;
  io::SimulatedRandom random_;       // decides
  io::SimulatedRandom entropy_;      // what the product draws: ids, salts, secrets
  io::SimulatedClock clock_;
  io::SimulatedFileSystem files_;
  std::array<std::uint8_t, 32> secret_{};
  audit::Blinding blinding_;
  gate::GateKeys keys_;
  struct NoClients final : gate::ClientBook {
    std::optional<gate::Client> find(model::PrincipalNumber) const override { return std::nullopt; }
  } no_clients_;
  gate::Gate gate_;
  ProcessOptions options_;
  Twin twin_;
  Workload workload_;
  io::SimulatedRandom rail_random_;  // of its own, so that a story without rails stays as it was
  std::unique_ptr<Outside> outside_;
  RailWorkload rail_workload_;
  std::map<std::uint64_t, std::uint64_t> callbacks_;   // by the trace of their reports
  bool replay_everything_ = false;   // the next start does without snapshots
  std::unique_ptr<Process> process_;
  std::map<model::EventNumber, std::uint64_t> entry_hashes_;
  /// Durable entries that the twin has not taken: it must not be ahead of an answer that is still on its way, because a group
  /// that was closed early leaves before the answers that wait for the one after it.
  std::deque<model::Entry> waiting_;
  std::map<model::EventNumber, PrivateValues> waiting_privates_;
  model::EventNumber durable_ = 0;
  struct Outstanding {
    std::shared_ptr<const Request> request;
    bool over_rails = false;
  };
  std::map<std::uint64_t, Outstanding> outstanding_;
  std::map<std::uint64_t, node::Question> questions_;
  std::uint64_t trace_ = 0;
  std::vector<std::pair<std::uint64_t, FaultKind>> plan_;   // by number of commands, latest first
  std::optional<FaultKind> at_next_crash_;
  std::uint64_t lasting_until_ = 0;  // commands until slow and small disks and live flips end
  std::vector<Flip> flips_;
  bool fault_planned_ = false;       // a call will fail, or may have failed, in this life
  bool reads_may_fail_ = false;
  bool lied_ = false;                // the disk did, at the end
  std::uint64_t delivered_before_ = 0;
  // Clocks, as the world knows them.
  std::int64_t life_started_boot_ns_ = 0;
  bool new_boot_ = true;                   ///< the present life is the first of its boot
  model::EventNumber durable_before_boot_ = 0;
  model::EventNumber confirmed_at_ = 0;    ///< event of the newest confirmation of the clock
  base::Instant life_started_at_{};
  std::int64_t confirmed_ns_ = 0;
  std::int64_t unconfirmed_jump_ns_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t compared_at_ = 0;
  std::uint64_t last_life_snapshots_ = 0;
  std::uint64_t groups_committed_ = 0;
  Figures figures_;
  Complaint violation_;
  crypto::Sha256 digest_;
};

}  // namespace sim
