#pragma once
// Result<T>: a value, or the error that prevented it. For the kind "error" of the design (the world failed, input is
// malformed). Outcomes of the ledger are data and never travel as errors.

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace base {

/// What went wrong, for a program (`code`) and for a person (`message`).
struct Error {
  /// Stable snake_case sentence, a string literal (it outlives every Error): `journal_segment_damaged`.
  const char* code = "";
  /// One sentence with the particulars (file, offset, limit). Never contains secrets or personal values.
  std::string message;
};

/// Success without a value.
struct Ok {};

/// Holds exactly one of a T or an Error. Reading the wrong one is our own mistake (CHECK).
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}        // NOLINT: conversion is the point
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}    // NOLINT

  bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    CHECK(ok());
    return *std::get_if<0>(&content_);
  }
  const T& value() const& {
    CHECK(ok());
    return *std::get_if<0>(&content_);
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*std::get_if<0>(&content_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    CHECK(!ok());
    return *std::get_if<1>(&content_);
  }

 private:
  std::variant<T, Error> content_;
};

using Status = Result<Ok>;

inline Status ok() { return Ok{}; }

}  // namespace base

#define BASE_CONCAT_(a, b) a##b
#define BASE_CONCAT(a, b) BASE_CONCAT_(a, b)

/// Returns the error of `expression` (a Result) from the enclosing function, if it is one.
#define TRY(expression)                                                         \
  do {                                                                          \
    if (auto try_result_ = (expression); !try_result_.ok()) return try_result_.error(); \
  } while (false)

/// TRY_ASSIGN(auto x, f()): x is the value of f(), or its error is returned.
#define TRY_ASSIGN(declaration, expression) TRY_ASSIGN_(declaration, expression, BASE_CONCAT(try_assign_, __LINE__))
#define TRY_ASSIGN_(declaration, expression, name)                              \
  auto name = (expression);                                                     \
  if (!name.ok()) return name.error();                                          \
  declaration = std::move(name).value()
