#pragma once
// One run of the doctor: what the layers of an input share while they are opened. Inside of the room only.

#include <string>
#include <string_view>
#include <vector>

#include "intake/content.h"
#include "intake/der.h"
#include "intake/doctor.h"
#include "intake/key.h"
#include "intake/text_repair.h"
#include "intake/traced.h"

namespace intake {

struct Examination {
  const Expectations& expected;
  Notes notes;
  std::vector<Item> items;
  std::vector<Repair> repairs;
  int depth = 0;                ///< layers opened so far on the way to here
  bool seems_private = false;   ///< a label, a password or a wallet word says so, though nothing could be read
  bool password_used = false;

  TextWork text_work() { return {notes, repairs}; }
  /// Checks the key and adds it. `name`: comment, kid; public.
  void add_key(Key key, std::string format, std::string name, const Desk& desk);
  void add(Item item);
};

/// Opens one more layer for as long as it lives; `ok()` is false (with a finding) when there are too many.
class Layer {
 public:
  explicit Layer(Examination& examination);
  ~Layer() { --examination_.depth; }
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  bool ok() const { return ok_; }

 private:
  Examination& examination_;
  bool ok_;
};

// --- the layers, each in a file of its own ----------------------------------------------------------------------------
/// Anything, as it came. (doctor.cc)
void examine_bytes(Examination& run, const Content& content);
/// Text after character repair. (text_doctor.cc)
void examine_text(Examination& run, Traced text);
/// A structure that starts with a SEQUENCE or another ASN.1 tag. `label`: of the PEM block it came in, or empty.
/// (der_doctor.cc)
void examine_der(Examination& run, const Content& content, std::string_view label);
/// One strict element with its shape still to be found.
void examine_element(Examination& run, const Element& element, const Content& content, std::string_view label,
                     std::string_view format);
/// An X.509 certificate, request or revocation list. (certificate_doctor.cc)
void examine_certificate(Examination& run, const Element& element, const Content& content, std::string_view format);
void examine_request(Examination& run, const Element& element, const Content& content);
void examine_revocation_list(Examination& run, const Element& element, const Content& content);

/// Fills fingerprint, thumbprint and pin of an item from a key and its SPKI.
void describe(Item& item, const Key& key);

}  // namespace intake
