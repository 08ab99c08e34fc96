#include "model/command.h"

namespace model {

namespace {

struct OperationOf {
  Operation operator()(const OpenTenant&) const { return Operation::open_tenant; }
  Operation operator()(const RegisterAsset&) const { return Operation::register_asset; }
  Operation operator()(const OpenAccount&) const { return Operation::open_account; }
  Operation operator()(const ChangeAccountFlags&) const { return Operation::change_account_flags; }
  Operation operator()(const SetAccountLimits&) const { return Operation::set_account_limits; }
  Operation operator()(const CreateTransfer&) const { return Operation::create_transfer; }
  Operation operator()(const CaptureHold&) const { return Operation::capture_hold; }
  Operation operator()(const VoidHold&) const { return Operation::void_hold; }
  Operation operator()(const CancelKey&) const { return Operation::cancel_key; }
  Operation operator()(const RecordBatch&) const { return Operation::record_batch; }
  Operation operator()(const CreateClient&) const { return Operation::create_client; }
  Operation operator()(const RotateClient&) const { return Operation::rotate_client; }
  Operation operator()(const RevokeClient&) const { return Operation::revoke_client; }
  Operation operator()(const Tick&) const { return Operation::tick; }
  Operation operator()(const ConfirmClock&) const { return Operation::confirm_clock; }
  Operation operator()(const BumpEpoch&) const { return Operation::bump_epoch; }
  Operation operator()(const ChangeLogKey&) const { return Operation::change_log_key; }
  Operation operator()(const ConfigureRail&) const { return Operation::configure_rail; }
  Operation operator()(const ControlRail&) const { return Operation::control_rail; }
  Operation operator()(const CreatePayout&) const { return Operation::create_payout; }
  Operation operator()(const CreateCollect&) const { return Operation::create_collect; }
  Operation operator()(const CancelTransfer&) const { return Operation::cancel_transfer; }
  Operation operator()(const ReviewTransfer&) const { return Operation::review_transfer; }
  Operation operator()(const ResolveUnknown&) const { return Operation::resolve_unknown; }
  Operation operator()(const RefundTransfer&) const { return Operation::refund_transfer; }
  Operation operator()(const ReportRail&) const { return Operation::report_rail; }
  Operation operator()(const CreateWebhook&) const { return Operation::create_webhook; }
  Operation operator()(const ChangeWebhook&) const { return Operation::change_webhook; }
  Operation operator()(const RemoveWebhook&) const { return Operation::remove_webhook; }
  Operation operator()(const RotateWebhook&) const { return Operation::rotate_webhook; }
  Operation operator()(const MarkWebhook&) const { return Operation::mark_webhook; }
  Operation operator()(const RecordStatement&) const { return Operation::record_statement; }
  Operation operator()(const ResolveException&) const { return Operation::resolve_exception; }
  Operation operator()(const ImportKey&) const { return Operation::import_key; }
  Operation operator()(const ChallengeImport&) const { return Operation::challenge_import; }
  Operation operator()(const ProveImport&) const { return Operation::prove_import; }
  Operation operator()(const ReviewImport&) const { return Operation::review_import; }
  Operation operator()(const SteerKey&) const { return Operation::steer_key; }
};

}  // namespace

Operation operation_of(const CommandBody& body) { return std::visit(OperationOf{}, body); }

bool is_operation(std::uint64_t number) {
  switch (number <= 0xFF ? static_cast<Operation>(number) : Operation::none) {
    case Operation::none:
      return false;
    case Operation::open_tenant:
    case Operation::register_asset:
    case Operation::open_account:
    case Operation::change_account_flags:
    case Operation::set_account_limits:
    case Operation::create_transfer:
    case Operation::capture_hold:
    case Operation::void_hold:
    case Operation::cancel_key:
    case Operation::record_batch:
    case Operation::create_client:
    case Operation::rotate_client:
    case Operation::revoke_client:
    case Operation::tick:
    case Operation::confirm_clock:
    case Operation::bump_epoch:
    case Operation::change_log_key:
    case Operation::configure_rail:
    case Operation::control_rail:
    case Operation::create_payout:
    case Operation::create_collect:
    case Operation::cancel_transfer:
    case Operation::review_transfer:
    case Operation::resolve_unknown:
    case Operation::refund_transfer:
    case Operation::report_rail:
    case Operation::create_webhook:
    case Operation::change_webhook:
    case Operation::remove_webhook:
    case Operation::rotate_webhook:
    case Operation::mark_webhook:
    case Operation::record_statement:
    case Operation::resolve_exception:
    case Operation::import_key:
    case Operation::challenge_import:
    case Operation::prove_import:
    case Operation::review_import:
    case Operation::steer_key:
      return true;
  }
  return false;
}

}  // namespace model
