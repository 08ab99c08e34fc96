#pragma once
// Bodies as they come, read against the schema of their action. Reading decodes and complains about what has no decoded
// form; whether values make sense is check_body's question, asked of every caller alike.

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gate/request_body.h"
#include "gate/routes.h"
#include "wire/json_fields.h"
#include "wire/json_value.h"

namespace gate {

using Problems = std::vector<wire::FieldProblem>;

/// Most problems one reply names.
constexpr std::size_t problems_max = 64;

/// Adds a problem unless there is one at that pointer already. `code` is a literal.
void add_problem(Problems& problems, const char* code, std::string pointer, std::string detail);

/// The JSON body of an action that changes something (batches excepted), with the parameters of its path. Incomplete
/// when `problems` grew. Views point into the document and `parameters`.
RequestBody read_body(Action action, const std::vector<std::string>& parameters, wire::JsonValue root,
                      Problems& problems);

/// POST /v1/token
struct TokenBody {
  model::PrincipalNumber client = 0;
  std::string_view refresh_secret;
};
TokenBody read_token_body(wire::JsonValue root, Problems& problems);

/// The items of POST /v1/transfers:batch, groups flattened and numbered from 1. A batch of more than batch_items_max is
/// read no further than that, and has then batch_items_max + 1 items.
std::vector<TransferRequest> read_batch(wire::JsonValue root, Problems& problems);
/// The same from CBOR (the same names as text keys; amounts also as integers or bignums). Views point into `bytes`.
/// Error `cbor_malformed`, with the byte offset: not what base::CborReader takes.
base::Result<std::vector<TransferRequest>> read_batch(base::ByteView bytes, Problems& problems);

/// Are the values of a body within their rules? Pointers start with `prefix`.
void check_body(const RequestBody& body, std::string_view prefix, Problems& problems);
void check_transfer(const TransferRequest& transfer, std::string_view prefix, Problems& problems);
/// 1 to 255 printable ASCII characters.
bool is_idempotency_key(std::string_view key);
/// 1 to 64 of A-Z a-z 0-9 - . _
bool is_tenant_name(std::string_view name);

/// Where item `index` of a flattened batch stands in its body: `/items/3`, `/items/4/group/0`.
std::string item_pointer(std::span<const TransferRequest> items, std::size_t index);

}  // namespace gate
