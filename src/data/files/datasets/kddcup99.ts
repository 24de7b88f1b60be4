/**
 * KDD Cup 1999, the 10 % file: 494,021 connections of a simulated network, of which 396,743 are attacks. The literature
 * turns the task round: the attacks are the rule and `normal` is the anomaly. Encoded as in EGBAD and ALAD: 34 numbers
 * and an input for each text of seven columns, over the whole file, 121 in all. Many rows are equal. Node only.
 */
import { join } from 'node:path';
import { DataError } from '../../../core/errors.ts';
import { readCells } from '../../table/cells.ts';
import { tableSource } from '../../table/source.ts';
import { type ColumnKind, readTable } from '../../table/table.ts';
import { absentData, type Dataset, findFiles, readChecked } from './dataset.ts';

const categorical = ['protocol_type', 'service', 'flag', 'land', 'logged_in', 'is_host_login', 'is_guest_login'];

/** In the order of the file, which has no head. */
const heads = [
  ...['duration', 'protocol_type', 'service', 'flag', 'src_bytes', 'dst_bytes', 'land', 'wrong_fragment', 'urgent'],
  ...['hot', 'num_failed_logins', 'logged_in', 'num_compromised', 'root_shell', 'su_attempted', 'num_root'],
  ...['num_file_creations', 'num_shells', 'num_access_files', 'num_outbound_cmds', 'is_host_login', 'is_guest_login'],
  ...['count', 'srv_count', 'serror_rate', 'srv_serror_rate', 'rerror_rate', 'srv_rerror_rate', 'same_srv_rate'],
  ...['diff_srv_rate', 'srv_diff_host_rate', 'dst_host_count', 'dst_host_srv_count', 'dst_host_same_srv_rate'],
  ...['dst_host_diff_srv_rate', 'dst_host_same_src_port_rate', 'dst_host_srv_diff_host_rate', 'dst_host_serror_rate'],
  ...['dst_host_srv_serror_rate', 'dst_host_rerror_rate', 'dst_host_srv_rerror_rate', 'label'],
];

const ROWS = 494_021;
const file = 'kddcup.data_10_percent';

export const kddcup99: Dataset = {
  name: 'kddcup99-10',
  kind: 'table',
  title: 'KDD Cup 1999, 10 %',
  licence: 'CC BY 4.0 (UCI)',
  origin: 'MIT Lincoln Laboratory and UCI KDD Archive, https://archive.ics.uci.edu/dataset/130',
  protocol: 'kdd',
  preset: 'kdd',
  async load({ root }) {
    const folders = [join(root, 'kddcup99'), join(root, 'kddcup99-10')];
    const paths = findFiles(folders, [file]);
    if (!paths) throw absentData(kddcup99.name, file, folders, kddcup99.origin);
    const kinds = Object.fromEntries(
      heads.map((name): [string, ColumnKind] => [
        name,
        name === 'label' ? 'label' : categorical.includes(name) ? 'categorical' : 'numeric',
      ]),
    );
    const cells = readCells(await readChecked(paths[0]), paths[0], { heads });
    if (cells.rows !== ROWS) {
      throw new DataError('count-mismatch', `${paths[0]} must hold ${ROWS} rows, found ${cells.rows}. Fetch it again.`);
    }
    const { table, classes, labels } = readTable(cells, { columns: kinds });
    const { name, title, licence } = kddcup99;
    // Names end with a full stop in the file. What is normal is left to the protocol.
    const names = classes.map((label) => label.replace(/\.$/, ''));
    return tableSource({ name, title, licence, classes: names, table, labels, allTexts: true });
  },
};
