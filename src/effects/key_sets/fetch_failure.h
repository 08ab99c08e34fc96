#pragma once
// Why a key set could not be had: at which step, by whose doing, and what to do about it. One table for logs, metrics and
// `holdfast doctor jwks`.

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

namespace effects {

/// In the order in which a fetch takes them.
enum class FetchStep : std::uint8_t {
  address,   ///< is the URL one we may ask?
  dns,       ///< name to addresses, each of them judged
  connect,
  tls,
  http,
  json,      ///< is the body a document of the right kind?
  keys,      ///< are there keys in it that can be used?
};
constexpr std::size_t fetch_steps = 7;
/// `dns`, `connect`, ...
std::string_view name_of(FetchStep step);

struct FetchFailure {
  FetchStep step{};
  base::Error error;
};

/// Who has to act.
enum class FetchParty : std::uint8_t {
  operator_of_ours,   ///< our configuration, name servers, firewall
  partner,            ///< whoever publishes the set
  network,            ///< whatever lies between: nobody can be named from here
};
/// `operator`, `partner`, `network`.
std::string_view name_of(FetchParty party);

struct FetchAdvice {
  std::string_view code;
  FetchStep step{};
  FetchParty party{};
  std::string_view advice;   ///< one sentence
};
/// Every code of a fetch up to the body; codes about the body beyond these are the import doctor's (intake/cause.def).
std::span<const FetchAdvice> fetch_advice();
/// The row of a code; null for those of the import doctor, which are the partner's to mend.
const FetchAdvice* advice_on(std::string_view code);
/// A failure with a code of the table.
FetchFailure fetch_failure(const char* code, std::string message);

}  // namespace effects
