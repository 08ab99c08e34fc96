#pragma once
// The keys that we sign with, as others may fetch them: GET /.well-known/jwks.json.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "custody/signer.h"
#include "io/file.h"
#include "node/rail_settings.h"

namespace node {

/// How long a copy may be used: with it a key that is to come has to be shown for an hour at least before it signs.
constexpr std::string_view own_key_set_cache_control = "public, max-age=3600";

/// A JWK Set (RFC 7517) of what signs our requests to rails: under each rail's `signing_key_id` its key, or the service's own; and
/// what its `published_keys` name besides, the next one before it signs and the former one after. The same key under one id stands there
/// once. Errors: those of load_rail_signing_key.
base::Result<std::string> own_key_set(io::FileSystem& files, const std::vector<RailSettings>& rails, const custody::Signer& own);

}  // namespace node
