/** The flags of the rule of alarms: the same for all commands that make alarms. */
import type { AlarmRule } from '../core/alarms.ts';

/** A flag of the rule. */
export interface AlarmFlag {
  /** Without dashes. */
  readonly name: string;
  readonly field: keyof AlarmRule;
  readonly value: string;
  readonly help: string;
  /** Its default in a training. */
  readonly otherwise: string;
}

export const alarmFlags: readonly AlarmFlag[] = [
  {
    name: 'merge-gap',
    field: 'gap',
    value: '<n>',
    help: 'steps below the threshold that do not end an alarm',
    otherwise: 'a window',
  },
  { name: 'least', field: 'least', value: '<n>', help: 'steps of the shortest alarm', otherwise: '1' },
  {
    name: 'hysteresis',
    field: 'hysteresis',
    value: '<share>',
    help: 'an alarm goes on above the threshold less this share of it',
    otherwise: '0',
  },
  {
    name: 'cool-down',
    field: 'coolDown',
    value: '<n>',
    help: 'steps after an alarm in which no other begins',
    otherwise: '0',
  },
];
