#include "node/dev_identity.h"

#include <algorithm>

#include "crypto/x509_make.h"
#include "gate/token.h"
#include "wire/json_writer.h"

namespace node {

namespace {

constexpr std::uint64_t pem_bytes_max = 64 * 1024;
constexpr std::int64_t day_s = 86'400;
constexpr base::Duration token_lifetime = base::seconds(30 * day_s);
constexpr base::Duration authority_lifetime = base::seconds(3650 * day_s);
/// Longer ones are refused by some clients.
constexpr base::Duration server_lifetime = base::seconds(397 * day_s);
/// Certificates begin a little in the past, for clients whose clock is behind.
constexpr base::Duration head_start = base::seconds(3600);

crypto::CertificateTerms terms(io::Random& random, base::Instant now, base::Duration lifetime) {
  crypto::CertificateTerms terms{.not_before = {now.ns - head_start.ns}, .not_after = now + lifetime, .serial = {}};
  random.fill(terms.serial);
  return terms;
}

base::Result<std::string> read_text(io::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(const base::Bytes bytes, io::read_whole_file(files, path, pem_bytes_max));
  return std::string(base::as_text(bytes));
}

}  // namespace

base::Result<DevServerFiles> make_dev_certificates(io::FileSystem& files, io::Random& random, const std::string& directory,
                                                   base::Instant now, const io::Endpoint& listen) {
  const auto file = [&directory](std::string_view name) { return io::join_path(directory, name); };
  TRY_ASSIGN(const bool has_authority, files.exists(file("ca.pem")));
  if (!has_authority) {
    const std::string key = crypto::make_p256_key_pem();
    TRY_ASSIGN(const std::string certificate,
               crypto::make_ca_certificate_pem(key, "Holdfast development CA", terms(random, now, authority_lifetime)));
    // The certificate last: where it is, its key is too.
    TRY(io::replace_file(files, file("ca-key.pem"), base::as_bytes(key), 0600));
    TRY(io::replace_file(files, file("ca.pem"), base::as_bytes(certificate), 0644));
  }
  TRY_ASSIGN(const std::string authority_key, read_text(files, file("ca-key.pem")));
  TRY_ASSIGN(const std::string authority, read_text(files, file("ca.pem")));
  crypto::ServerNames names{.dns = {"localhost"}, .addresses = {"127.0.0.1", "::1"}};
  if (std::ranges::find(names.addresses, listen.address) == names.addresses.end()) names.addresses.push_back(listen.address);
  const std::string key = crypto::make_p256_key_pem();
  TRY_ASSIGN(const std::string certificate,
             crypto::make_server_certificate_pem(authority_key, authority, key, names, terms(random, now, server_lifetime)));
  TRY(io::replace_file(files, file("server-key.pem"), base::as_bytes(key), 0600));
  TRY(io::replace_file(files, file("server.pem"), base::as_bytes(certificate), 0644));
  return DevServerFiles{file("server.pem"), file("server-key.pem"), file("ca.pem")};
}

base::Status write_dev_client(io::FileSystem& files, const std::string& directory, const gate::GateKeys& keys,
                              const gate::Client& client, base::Instant now, const DevAddresses& addresses) {
  gate::TokenAuthority authority(keys.tokens);
  const std::string token = authority.issue({.principal = client.principal,
                                             .tenant = client.tenant,
                                             .generation = client.generation,
                                             .scopes = client.scopes,
                                             .issued_at = now,
                                             .expires_at = now + token_lifetime});
  std::string credentials;
  wire::JsonWriter json(credentials);
  json.begin_object();
  json.member("base_url", std::string_view(addresses.base_url));
  json.member("operator_url", std::string_view(addresses.operator_url));
  json.member("ca_file", std::string_view(addresses.ca_file));
  json.member("token", std::string_view(token));
  json.key("rails");
  json.begin_array();
  for (const DevRail& rail : addresses.rails) {
    json.begin_object();
    json.member("name", std::string_view(rail.name));
    json.member("url", std::string_view(rail.url));
    json.member("control_url", std::string_view(rail.control_url));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  credentials += "\n";
  TRY(io::replace_file(files, io::join_path(directory, "client.json"), base::as_bytes(credentials), 0600));
  const std::string curl = "# curl --config " + io::join_path(directory, "curl.conf") + " " + addresses.base_url + "/v1/accounts\n" +
                           "header = \"Authorization: Bearer " + token + "\"\ncacert = \"" + addresses.ca_file + "\"\n";
  return io::replace_file(files, io::join_path(directory, "curl.conf"), base::as_bytes(curl), 0600);
}

}  // namespace node
