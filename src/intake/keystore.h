#pragma once
// Java keystores (JKS, JCEKS) and Bouncy Castle's BKS: recognising and, with the password, opening what they hold.

#include "intake/examination.h"

namespace intake {

/// BKS has no magic: version 1 or 2, a salt of 20 bytes, an iteration count, an entry type.
bool looks_like_bks(base::ByteView bytes);
void examine_java_keystore(Examination& run, const Content& content);

}  // namespace intake
