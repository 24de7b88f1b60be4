/** Fashion-MNIST: 60000 + 10000 articles of clothing, 28x28 grey (Xiao, Rasul, Vollgraf, arXiv 1708.07747). */
import type { Dataset } from './dataset.ts';
import { idxDataset } from './idx-set.ts';

/** Fashion-MNIST, from `<root>/fashion-mnist`, Debian's package, or a download of 30 MB. */
export const fashionMnist: Dataset = idxDataset({
  name: 'fashion-mnist',
  title: 'Fashion-MNIST',
  licence: 'MIT',
  origin: 'Zalando Research',
  classes: ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  folders: () => ['/usr/share/datasets/fashion-mnist'],
  hint: 'install Debian\'s package "dataset-fashion-mnist"',
  url: 'https://fashion-mnist.s3.eu-central-1.amazonaws.com',
  files: {
    'train-images-idx3-ubyte': {
      content: 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
      gzip: '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
    },
    'train-labels-idx1-ubyte': {
      content: 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
      gzip: 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
    },
    't10k-images-idx3-ubyte': {
      content: '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
      gzip: '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
    },
    't10k-labels-idx1-ubyte': {
      content: '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
      gzip: '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
    },
  },
});
