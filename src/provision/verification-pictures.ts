import { encodePng } from '../common/png.ts'

/** Small pictures whose decoding and encoding use every native library of a release. */
export function verificationPictures(): { name: string; bytes: Buffer }[] {
  return [
    { name: 'png', bytes: gradientPng(96, 64) },
    { name: 'jpeg', bytes: greyJpeg() },
  ]
}

/** An RGB gradient. */
function gradientPng(width: number, height: number): Buffer {
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set([x * 2, y * 3, 90], (y * width + x) * 3)
  }
  return encodePng(width, height, pixels)
}

/** 32 × 24 pixels of one grey, baseline JPEG. */
function greyJpeg(): Buffer {
  return Buffer.from(
    '/9j/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigj' +
      'KE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAYACADASIAAhEBAxEB/8QA' +
      'FAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAUAQEAAAAAAAAAAAAAAAAAAAAA/8QAFBEBAAAAAAAAAAAAAAAA' +
      'AAAAAP/aAAwDAQACEQMRAD8AAAAAAAAA/9k=',
    'base64',
  )
}
