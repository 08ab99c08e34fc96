#pragma once
// One account of one chain as its rails share it: the node, the key, and the outbox in which everything stands before it is sent.

#include <map>
#include <memory>
#include <string>

#include "custody/signer.h"
#include "effects/rails/evm/node.h"
#include "effects/rails/evm/outbox.h"
#include "effects/rails/evm/plan.h"

namespace effects {

struct EvmAccountOptions {
  std::string url;                                        ///< of the node
  std::string outbox_file;
  std::uint64_t chain_id = 0;
  base::Duration reply_timeout = base::seconds(10);
  HttpClientOptions http = {.connections_max = 8};
};

/// Belongs to one loop's thread, on which the outbox is synced too: a payment costs one sync of the disk.
class EvmAccount {
 public:
  /// References outlive the account. Errors: those of parse_origin and EvmOutbox::open; `evm_outbox_of_another_account` also if
  /// it is of another chain.
  static base::Result<std::shared_ptr<EvmAccount>> open(io::Loop& loop, io::Clock& clock, io::Resolver* resolver,
                                                        std::shared_ptr<const io::TlsOutgoingContext> tls, custody::Signer& signer,
                                                        io::FileSystem& files, EvmAccountOptions options);

  const EvmAddress& address() const { return outbox_->account(); }
  std::uint64_t chain_id() const { return outbox_->chain_id(); }
  EvmNode& node() { return *node_; }
  /// The same node over a connection of its own, which takes whole blocks: what is slow or large there holds up no payment.
  EvmNode& block_node() { return *block_node_; }
  EvmOutbox& outbox() { return *outbox_; }

  /// Signs the payment of a new reference and writes it down. Errors: those of the signer and the outbox.
  base::Result<const OutboxEntry*> sign_payment(const std::string& reference, const EvmTransaction& transaction);
  /// Signs another version of an entry and writes it down. Errors: as above.
  base::Status sign_version(const OutboxEntry& entry, const EvmTransaction& transaction);
  /// Sends the newest version again, with more on offer if it has waited for long. What comes of it is seen when the chain is
  /// asked next.
  void push(const OutboxEntry& entry, const EvmPolicy& policy, const EvmMarket& market);
  /// Whether nothing was signed with its nonce for that long (since the process started, if it is older).
  bool has_waited(const OutboxEntry& entry, base::Duration duration);
  /// The question that sends an entry's newest version.
  static RpcQuestion sending(const OutboxEntry& entry);

 private:
  EvmAccount(io::Clock& clock, custody::Signer& signer) : clock_(clock), signer_(signer), opened_at_ns_(clock.boot_ns()) {}

  io::Clock& clock_;
  custody::Signer& signer_;
  const std::int64_t opened_at_ns_;
  std::unique_ptr<EvmOutbox> outbox_;
  std::unique_ptr<EvmNode> node_, block_node_;
  std::map<std::uint64_t, std::int64_t> signed_at_ns_;   ///< boot clock, by nonce, of this process
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace effects
