/** The URL of a file that Vite adds to the build. */
declare module '*?url' {
  const url: string;
  export default url;
}

declare module 'libflacjs/dist/libflac.min.wasm.js';
