#pragma once
// Reading what is asked about imports and keys, its rules, and what its fingerprint is made of. Private to this room.

#include <string>
#include <vector>

#include "gate/fingerprint.h"
#include "gate/schema.h"

namespace gate {

/// The numbers in paths.
model::EventNumber read_import_id(const std::vector<std::string>& parameters, Problems& problems);
model::KeyNumber read_key_id(const std::vector<std::string>& parameters, Problems& problems);

/// `material`, a text, or `material_base64`: exactly one of them. Wiped when it goes away.
intake::Secret read_material(wire::JsonFields& fields);
KeyImport read_key_import(wire::JsonFields& fields);
ImportProof read_import_proof(model::EventNumber import, wire::JsonFields& fields);
ImportReview read_import_review(model::EventNumber import, bool approve, wire::JsonFields& fields);
KeySteering read_key_steering(model::KeyNumber key, model::KeyVerb verb, wire::JsonFields& fields);

/// Fields by the numbers of docs/format/idempotency.md. Of material that held a secret nothing goes in.
void give_fields(FingerprintMaker& maker, const KeyImport& body);
void give_fields(FingerprintMaker& maker, const ImportProof& body);
void give_fields(FingerprintMaker& maker, const ImportReview& body);
void give_fields(FingerprintMaker& maker, const KeySteering& body);

}  // namespace gate
