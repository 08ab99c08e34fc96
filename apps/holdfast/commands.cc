#include "apps/holdfast/commands.h"

namespace holdfast {

std::span<const Command> commands() {
  static const std::vector<Command> all = {
      serve_command(),   init_command(),    tour_command(),    doctor_command(), asset_command(),
      account_command(), transfer_command(), rail_command(), reconcile_command(), client_command(), webhook_command(), key_command(), journal_command(), audit_command(), verify_command(), verify_chain_command(), try_command(), witness_command(), backup_command(),
      restore_command(), keyring_command(), import_command(), config_command(),  sandbox_rail_command(), fault_proxy_command(), bench_command(),   completion_command(), version_command(),
  };
  return all;
}

}  // namespace holdfast
