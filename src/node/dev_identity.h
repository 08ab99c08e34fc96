#pragma once
// What `--dev` makes under DIR/dev so that a script can start the service and talk to it with nothing but curl:
//
//   ca.pem  ca-key.pem           a certificate authority, made once
//   server.pem  server-key.pem   the server's certificate, made anew at every start
//   client.json                  base_url, operator_url, ca_file, token (all scopes); and of each sandbox rail in `rails` its name, url
//                                and control_url; mode 0600
//   curl.conf                    the same for `curl --config`, so that the token stays out of command lines

#include <string>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "gate/client_book.h"
#include "gate/keys.h"
#include "io/file.h"
#include "io/random.h"
#include "io/socket.h"
#include "node/dev_rails.h"

namespace node {

/// Certificate and key files of the server.
struct DevServerFiles {
  std::string certificate_file;
  std::string key_file;
  std::string ca_file;
};

/// Makes the authority if there is none, and a server certificate for localhost, 127.0.0.1, ::1 and `listen`. Errors:
/// those of io/file.h and crypto/x509_make.h.
base::Result<DevServerFiles> make_dev_certificates(io::FileSystem& files, io::Random& random, const std::string& directory,
                                                   base::Instant now, const io::Endpoint& listen);

/// Where a started service is.
struct DevAddresses {
  std::string base_url;
  std::string operator_url;
  std::string ca_file;
  std::vector<DevRail> rails;
};

/// Issues an access token for `client` that lives for 30 days and writes client.json and curl.conf. Errors: those of io/file.h.
base::Status write_dev_client(io::FileSystem& files, const std::string& directory, const gate::GateKeys& keys,
                              const gate::Client& client, base::Instant now, const DevAddresses& addresses);

}  // namespace node
