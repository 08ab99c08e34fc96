#pragma once
// What the world is asked to do, as a function of events and state.

#include <vector>

#include "core/ledger/state.h"
#include "model/effect.h"

namespace core {

/// Appends the effects of an event, once it is durable. `state` has the event applied; it may be further on, by events of the
/// same command at least. An attempt that this state no longer has in `sending` is not sent.
void effects_of(const State& state, const model::Event& event, model::EventNumber number, std::vector<model::Effect>& effects);

/// What is open when a process starts: sends that may have begun are to be reported interrupted. Questions and voids need
/// nothing: their next one is due by time. Ascending by slot; a hundred thousand open sagas take some milliseconds.
std::vector<model::Effect> open_effects(const State& state);

}  // namespace core
