#pragma once
// The guided tour: chapters of steps on a real service, each checked. A chapter is a file: tour_money.cc, tour_crash.cc,
// tour_payouts.cc.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/holdfast/api_client.h"
#include "apps/holdfast/load.h"
#include "apps/holdfast/service_process.h"
#include "io/posix_file.h"
#include "node/dev_rails.h"
#include "wire/json_writer.h"

namespace holdfast {

constexpr std::uint32_t tour_load_clients = 8;
constexpr std::uint32_t tour_load_accounts = 8;

/// What a step came to, and one or more lines about it.
struct Finding {
  bool held = false;
  std::string detail;
};
inline Finding held(std::string detail) { return {true, std::move(detail)}; }
inline Finding broke(std::string detail) { return {false, std::move(detail)}; }

/// `12.3 ms`
std::string milliseconds(std::int64_t ns);
/// `12.50` from 1250 of an asset with two decimal places.
std::string with_decimals(std::string_view smallest_units);

class Tour {
 public:
  Tour(std::string directory, bool json);

  /// Every chapter, until a step does not hold.
  bool go();
  /// Until Ctrl-C.
  void keep_serving();
  /// The last step and the sum. Returns an ExitCode.
  int finish();

 private:
  struct Payout {
    std::string id;
    std::string state;              ///< as last seen
    std::uint64_t cents = 0;
    bool was_unknown = false, was_parked = false;
    std::vector<std::pair<std::string, std::string>> attempts;   ///< rail, reference
  };
  struct Bank {
    node::DevRail rail;
    std::uint64_t payouts = 0, cents = 0;   ///< of this tour, as its own book says
  };
  struct StepResult {
    std::string title, detail;
    bool held;
    std::int64_t ns;
  };

  bool step(const std::string& title, const std::function<Finding()>& work);
  void heading(const std::string& text);
  void finish_json(wire::JsonWriter& json);

  Finding start_service();
  // tour_money.cc
  Finding register_asset();
  Finding open_accounts();
  Finding fund();
  Finding pay();
  Finding lose_reply();
  Finding overdraw();
  Finding hold_and_capture();
  // tour_crash.cc
  Finding load_and_kill();
  Finding restart();
  Finding nothing_is_lost();
  Finding balances_agree();
  // tour_payouts.cc
  Finding find_banks();
  Finding send_first_half();
  Finding kill_a_bank();
  Finding send_second_half();
  Finding revive_the_bank();
  Finding payouts_end();
  Finding books_agree();
  Finding send_payouts(std::uint32_t until);
  Finding count_at_banks(const Payout& payout);
  Finding statements_agree(std::uint64_t settled);
  std::string payout_table() const;

  Finding debits_equal_credits();
  Finding verify_journal();

  std::string account(std::string_view name) const { return run_ + "/" + std::string(name); }
  base::Result<ApiReply> transfer(std::string_view debit, std::string_view credit, std::string_view amount, std::string_view key, bool hold = false);
  ApiRequest transfer_request(std::string_view debit, std::string_view credit, std::string_view amount, std::string_view key, bool hold) const;
  base::Result<std::string> account_json(const std::string& id);
  std::string available(const std::string& account_json) const;
  Finding unexpected(const base::Result<ApiReply>& reply) const;

  const std::string directory_;
  const bool json_;
  std::string run_;
  io::RealFileSystem files_;
  std::unique_ptr<ServiceProcess> service_;
  Credentials credentials_;
  std::unique_ptr<ApiClient> client_;
  std::vector<std::string> load_names_;
  std::vector<LoadRecord> records_;
  std::vector<Bank> banks_;
  std::vector<Payout> payouts_;
  std::unique_ptr<ServiceProcess> revived_;   ///< a bank that the tour killed and started again
  std::vector<StepResult> steps_;
};

}  // namespace holdfast
