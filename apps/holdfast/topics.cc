#include "apps/holdfast/topics.h"

namespace holdfast {

namespace {

constexpr Topic all[] = {
    {"exit-codes", "Exit codes",
     "  0   it worked, or what was looked at is in order\n"
     "  1   it was refused, or what was looked at is not in order\n"
     "  2   the command line was not understood; nothing was done\n"
     "  3   the service cannot be reached, or the data directory is in use\n"
     "  70  the service had to stop: a disk that fails, or a mistake of ours\n"},
    {"credentials", "Credentials",
     "  Commands that talk to a service read where it is and who they are from a file, never from options or the\n"
     "  environment. It is JSON with `base_url`, `ca_file`, and either `token` (an access token) or `client_id` and\n"
     "  `refresh_secret`; `operator_url` where the operator address is wanted. It is\n"
     "    FILE, with --credentials FILE\n"
     "    DIR/dev/client.json, with --data DIR (what `serve --dev` writes), and nothing else then\n"
     "    $HOME/.config/holdfast/client.json, with neither\n"
     "  The file must be readable by its owner only (chmod 0600).\n"},
    {"idempotency", "Idempotency",
     "  Every command that changes something sends an idempotency key, drawn at random and shown on standard error\n"
     "  if the outcome stays unknown. If a reply is lost the request is repeated under the same key, which cannot\n"
     "  have a second effect. Give --key KEY to choose it: the same command with the same key gives the first reply\n"
     "  again, for ever.\n"},
    {"amounts", "Amounts",
     "  Amounts are whole numbers in the smallest unit of the asset: 1250 of USD/2 are 12.50 dollars. Assets are\n"
     "  written CODE/SCALE, where the scale is the number of decimal places: USD/2, JPY/0, ETH/18.\n"},
};

}  // namespace

std::span<const Topic> topics() { return all; }

}  // namespace holdfast
