import type { ModelManifest } from '../../protocol/model.ts'

/** cpn's tests never ran it: its bytes were not at hand. Preprocessing and threshold are those of OpenCV's FaceRecognizerSF. */
export const sface2021dec: ModelManifest = {
  name: 'sface-2021dec',
  version: '1',
  family: 'arcface',
  task: 'embed-faces',
  description: 'SFace: an embedding of 128 numbers per aligned face of 112x112; not tried with cpn yet',
  sha256: '0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79',
  bytes: 38_696_353,
  licence: 'Apache-2.0 (opencv_zoo)',
  urls: [
    'https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/models/face_recognition_sface/face_recognition_sface_2021dec.onnx',
  ],
  preprocess: { channels: 'RGB', mean: [0, 0, 0], std: [1, 1, 1] },
  thresholds: { verification: 0.363 },
}
