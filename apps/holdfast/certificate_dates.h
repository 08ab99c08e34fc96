#pragma once
// When a certificate is good, for `doctor`.

#include <string_view>

#include "base/instant.h"
#include "base/result.h"

namespace holdfast {

struct CertificateDates {
  base::Instant not_before;
  base::Instant not_after;
};

/// Of the first certificate in a PEM text. Error `certificate_unreadable`.
base::Result<CertificateDates> certificate_dates(std::string_view pem);

}  // namespace holdfast
