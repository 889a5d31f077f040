// SPDX-License-Identifier: MIT
import { VxnError } from '../host/errors.ts';

/** `checkpoint` and `restore`, whose options are taken so that the answer is this one and no other. */
export function refuse(verb: 'checkpoint' | 'restore'): never {
  throw new VxnError('UNSUPPORTED', `${verb} is not supported: there is no CRIU for a Xen domain`, {
    hint: 'pause and resume are',
  });
}
