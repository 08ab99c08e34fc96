#pragma once
// Work to be done later, once: a move-only `void()` callable. Small ones (48 bytes) are kept in place.

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace io {

/// Empty after construction without a callable and after being moved from. Calling an empty one is undefined.
class Task {
 public:
  Task() = default;

  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Task> && std::is_invocable_r_v<void, std::decay_t<F>&>)
      Task(F&& work) {  // NOLINT: conversion is the point
    using Work = std::decay_t<F>;
    if constexpr (fits_in_place<Work>) {
      new (place_) Work(std::forward<F>(work));
      actions_ = &in_place<Work>;
    } else {
      new (place_) Work*(new Work(std::forward<F>(work)));
      actions_ = &on_heap<Work>;
    }
  }

  Task(Task&& other) noexcept { take(other); }
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      drop();
      take(other);
    }
    return *this;
  }
  ~Task() { drop(); }

  explicit operator bool() const { return actions_ != nullptr; }
  void operator()() { actions_->call(place_); }

 private:
  static constexpr std::size_t place_bytes = 48;

  struct Actions {
    void (*call)(void* place);
    void (*move)(void* from, void* to);
    void (*drop)(void* place);
  };

  template <typename Work>
  static constexpr bool fits_in_place =
      sizeof(Work) <= place_bytes &&
      alignof(Work) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<Work>;

  template <typename Work>
  static constexpr Actions in_place = {
      [](void* place) { (*std::launder(static_cast<Work*>(place)))(); },
      [](void* from, void* to) {
        Work* work = std::launder(static_cast<Work*>(from));
        new (to) Work(std::move(*work));
        work->~Work();
      },
      [](void* place) { std::launder(static_cast<Work*>(place))->~Work(); },
  };

  template <typename Work>
  static constexpr Actions on_heap = {
      [](void* place) { (**std::launder(static_cast<Work**>(place)))(); },
      [](void* from, void* to) { new (to) Work*(*std::launder(static_cast<Work**>(from))); },
      [](void* place) { delete *std::launder(static_cast<Work**>(place)); },
  };

  void take(Task& other) {
    if (other.actions_ != nullptr) other.actions_->move(other.place_, place_);
    actions_ = std::exchange(other.actions_, nullptr);
  }
  void drop() {
    if (actions_ != nullptr) actions_->drop(place_);
    actions_ = nullptr;
  }

  alignas(std::max_align_t) std::byte place_[place_bytes];
  const Actions* actions_ = nullptr;
};

}  // namespace io
