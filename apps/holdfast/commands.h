#pragma once
// Every command, one function and one file each.

#include "apps/holdfast/command.h"

namespace holdfast {

Command serve_command();
Command init_command();
Command tour_command();
Command doctor_command();
Verb doctor_jwks_verb();   ///< of `doctor`
Command account_command();
Command asset_command();
Command transfer_command();
Command rail_command();
Command reconcile_command();
Command client_command();
Command webhook_command();
Command key_command();
Command journal_command();
Command backup_command();
Command keyring_command();
Command restore_command();
Command import_command();
Command config_command();
Command audit_command();
Command verify_command();
Command verify_chain_command();
Command try_command();
Command witness_command();
Command bench_command();
Command sandbox_rail_command();
Command fault_proxy_command();
Command completion_command();
Command version_command();

}  // namespace holdfast
