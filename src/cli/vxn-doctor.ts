// SPDX-License-Identifier: MIT
// The doctor as a file of its own, so that the runtime need not carry it.
export { examineAll } from '../doctor/doctor.ts';
export { renderJson, renderText } from './render/doctor.ts';
