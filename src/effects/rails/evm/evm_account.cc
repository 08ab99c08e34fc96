#include "effects/rails/evm/evm_account.h"

#include <utility>

namespace effects {

base::Result<std::shared_ptr<EvmAccount>> EvmAccount::open(io::Loop& loop, io::Clock& clock, io::Resolver* resolver,
                                                           std::shared_ptr<const io::TlsOutgoingContext> tls, custody::Signer& signer,
                                                           io::FileSystem& files, EvmAccountOptions options) {
  TRY_ASSIGN(HttpOrigin origin, parse_origin(options.url));
  std::shared_ptr<EvmAccount> account(new EvmAccount(clock, signer));
  TRY_ASSIGN(account->outbox_, EvmOutbox::open(files, options.outbox_file, address_of_public_key(signer.public_key())));
  if (account->chain_id() != options.chain_id) {
    return base::Error{"evm_outbox_of_another_account", options.outbox_file + " is of chain " + std::to_string(account->chain_id()) + ", not " +
                                                            std::to_string(options.chain_id)};
  }
  HttpClientOptions for_blocks = options.http;
  for_blocks.connections_max = 1;
  for_blocks.body_bytes_max = rpc_reply_bytes_max;
  account->block_node_ = std::make_unique<EvmNode>(loop, clock, resolver, origin, tls, options.reply_timeout, for_blocks);
  account->node_ = std::make_unique<EvmNode>(loop, clock, resolver, std::move(origin), std::move(tls), options.reply_timeout, options.http);
  return account;
}

base::Result<const OutboxEntry*> EvmAccount::sign_payment(const std::string& reference, const EvmTransaction& transaction) {
  TRY_ASSIGN(base::Bytes raw, sign_transaction(transaction, signer_));
  signed_at_ns_[transaction.nonce] = clock_.boot_ns();
  return outbox_->add_payment(reference, std::move(raw));
}

base::Status EvmAccount::sign_version(const OutboxEntry& entry, const EvmTransaction& transaction) {
  TRY_ASSIGN(base::Bytes raw, sign_transaction(transaction, signer_));
  signed_at_ns_[transaction.nonce] = clock_.boot_ns();
  TRY(outbox_->add_version(entry.nonce, std::move(raw)));
  return base::ok();
}

bool EvmAccount::has_waited(const OutboxEntry& entry, base::Duration duration) {
  const auto found = signed_at_ns_.find(entry.nonce);
  return clock_.boot_ns() - (found == signed_at_ns_.end() ? opened_at_ns_ : found->second) >= duration.ns;
}

RpcQuestion EvmAccount::sending(const OutboxEntry& entry) {
  return {.method = "eth_sendRawTransaction", .params = "[\"" + hex_data(entry.newest().raw) + "\"]"};
}

void EvmAccount::push(const OutboxEntry& entry, const EvmPolicy& policy, const EvmMarket& market) {
  if (has_waited(entry, policy.bump_after)) {
    const auto raised = plan_raise(entry, policy, market);
    // If it cannot be written down, what stands there already is sent.
    if (raised) static_cast<void>(sign_version(entry, *raised).ok());
  }
  node_->ask(sending(entry), [this, alive = std::weak_ptr<bool>(alive_), nonce = entry.nonce, pays = !entry.cancelled()](RpcOutcome&& outcome) {
    if (!alive.expired() && pays && outcome.result()) static_cast<void>(outbox_->acknowledge(nonce).ok());
  });
}

}  // namespace effects
