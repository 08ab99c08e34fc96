#include "apps/holdfast/certificate_dates.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace holdfast {

namespace {

// Days and seconds since 1970, as OpenSSL counts them.
bool read_time(const ASN1_TIME* time, base::Instant& instant) {
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> epoch(ASN1_TIME_set(nullptr, 0), ASN1_TIME_free);
  int days = 0, seconds = 0;
  if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return false;
  instant = {(std::int64_t{days} * 86'400 + seconds) * 1'000'000'000};
  return true;
}

}  // namespace

base::Result<CertificateDates> certificate_dates(std::string_view pem) {
  const base::Error unreadable{"certificate_unreadable", "there is no certificate in PEM"};
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  if (!bio) return unreadable;
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  CertificateDates dates{};
  if (!certificate || !read_time(X509_get0_notBefore(certificate.get()), dates.not_before) ||
      !read_time(X509_get0_notAfter(certificate.get()), dates.not_after)) {
    return unreadable;
  }
  return dates;
}

}  // namespace holdfast
