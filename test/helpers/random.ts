export { randomOf } from '../../src/common/random.ts'
