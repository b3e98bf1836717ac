;; Dot products of faces with rows of a gallery; those of `floor` or more are written down.
;;
;; Rows lie in blocks of 16, component by component: 16 first components, 16 second ones, and so on. A lane belongs to
;; one row and adds up its products in the order of the components, so that every platform gets the bits that the plain
;; loop `for (d) sum = f32(sum + f32(face[d] * row[d]))` gets: no fused multiplication, no relaxed instruction, no
;; horizontal sum. Faces lie one after another; two are compared at a time, as that is what 16 registers hold.
(module
  ;; Address 0 is scratch space of 16 bytes.
  (memory (import "js" "memory") 1)

  ;; Writes position and dot product of those lanes that reach the floor; returns the end of what is written.
  (func $emit (param $sums v128) (param $position i32) (param $left i32) (param $floor f32) (param $out i32)
    (result i32)
    (local $mask i32) (local $lane i32)
    (local.set $mask (i32x4.bitmask (f32x4.ge (local.get $sums) (f32x4.splat (local.get $floor)))))
    (if (i32.eqz (local.get $mask)) (then (return (local.get $out))))
    (v128.store (i32.const 0) (local.get $sums))
    (loop $lanes
      (local.set $lane (i32.ctz (local.get $mask)))
      ;; Rows past the end fill the last block.
      (if (i32.lt_s (local.get $lane) (local.get $left))
        (then
          (i32.store (local.get $out) (i32.add (local.get $position) (local.get $lane)))
          (f32.store offset=4 (local.get $out) (f32.load (i32.shl (local.get $lane) (i32.const 2))))
          (local.set $out (i32.add (local.get $out) (i32.const 8)))))
      (br_if $lanes
        (local.tee $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))))
    (local.get $out))

  ;; One face with the 16 rows of a block.
  (func $one (param $face i32) (param $block i32) (param $dims i32) (param $position i32) (param $left i32)
    (param $floor f32) (param $out i32) (result i32)
    (local $x v128) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (loop $components
      (local.set $x (v128.load32_splat (local.get $face)))
      (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $x) (v128.load (local.get $block)))))
      (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $x) (v128.load offset=16 (local.get $block)))))
      (local.set $c (f32x4.add (local.get $c) (f32x4.mul (local.get $x) (v128.load offset=32 (local.get $block)))))
      (local.set $d (f32x4.add (local.get $d) (f32x4.mul (local.get $x) (v128.load offset=48 (local.get $block)))))
      (local.set $face (i32.add (local.get $face) (i32.const 4)))
      (local.set $block (i32.add (local.get $block) (i32.const 64)))
      (br_if $components (local.tee $dims (i32.sub (local.get $dims) (i32.const 1)))))
    (call $emit16 (local.get $a) (local.get $b) (local.get $c) (local.get $d)
      (local.get $position) (local.get $left) (local.get $floor) (local.get $out)))

  ;; Two faces, one after the other in memory, with the 16 rows of a block; the second's positions begin at `second`.
  (func $two (param $face i32) (param $block i32) (param $dims i32) (param $position i32) (param $second i32)
    (param $left i32) (param $floor f32) (param $out i32) (result i32)
    (local $x v128) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $y v128) (local $e v128) (local $f v128) (local $g v128) (local $h v128)
    (local $row v128) (local $other i32)
    (local.set $other (i32.add (local.get $face) (i32.shl (local.get $dims) (i32.const 2))))
    (loop $components
      (local.set $x (v128.load32_splat (local.get $face)))
      (local.set $y (v128.load32_splat (local.get $other)))
      (local.set $row (v128.load (local.get $block)))
      (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $x) (local.get $row))))
      (local.set $e (f32x4.add (local.get $e) (f32x4.mul (local.get $y) (local.get $row))))
      (local.set $row (v128.load offset=16 (local.get $block)))
      (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $x) (local.get $row))))
      (local.set $f (f32x4.add (local.get $f) (f32x4.mul (local.get $y) (local.get $row))))
      (local.set $row (v128.load offset=32 (local.get $block)))
      (local.set $c (f32x4.add (local.get $c) (f32x4.mul (local.get $x) (local.get $row))))
      (local.set $g (f32x4.add (local.get $g) (f32x4.mul (local.get $y) (local.get $row))))
      (local.set $row (v128.load offset=48 (local.get $block)))
      (local.set $d (f32x4.add (local.get $d) (f32x4.mul (local.get $x) (local.get $row))))
      (local.set $h (f32x4.add (local.get $h) (f32x4.mul (local.get $y) (local.get $row))))
      (local.set $face (i32.add (local.get $face) (i32.const 4)))
      (local.set $other (i32.add (local.get $other) (i32.const 4)))
      (local.set $block (i32.add (local.get $block) (i32.const 64)))
      (br_if $components (local.tee $dims (i32.sub (local.get $dims) (i32.const 1)))))
    (call $emit16 (local.get $e) (local.get $f) (local.get $g) (local.get $h)
      (local.get $second) (local.get $left) (local.get $floor)
      (call $emit16 (local.get $a) (local.get $b) (local.get $c) (local.get $d)
        (local.get $position) (local.get $left) (local.get $floor) (local.get $out))))

  (func $emit16 (param $a v128) (param $b v128) (param $c v128) (param $d v128)
    (param $position i32) (param $left i32) (param $floor f32) (param $out i32) (result i32)
    (local.set $out
      (call $emit (local.get $a) (local.get $position) (local.get $left) (local.get $floor) (local.get $out)))
    (local.set $out
      (call $emit (local.get $b) (i32.add (local.get $position) (i32.const 4))
        (i32.sub (local.get $left) (i32.const 4)) (local.get $floor) (local.get $out)))
    (local.set $out
      (call $emit (local.get $c) (i32.add (local.get $position) (i32.const 8))
        (i32.sub (local.get $left) (i32.const 8)) (local.get $floor) (local.get $out)))
    (call $emit (local.get $d) (i32.add (local.get $position) (i32.const 12))
      (i32.sub (local.get $left) (i32.const 12)) (local.get $floor) (local.get $out)))

  ;; Compares `faces` vectors with `rows` rows of `dims` components. From `out` on come pairs of a position (i32, number
  ;; of the face * rows + number of the row) and a dot product (f32); returns how many.
  (func (export "above") (param $face i32) (param $faces i32) (param $block i32) (param $rows i32) (param $dims i32)
    (param $floor f32) (param $out i32) (result i32)
    (local $start i32) (local $row i32) (local $number i32) (local $at i32) (local $position i32)
    (local.set $start (local.get $out))
    (block $done
      (loop $blocks
        (br_if $done (i32.ge_s (local.get $row) (local.get $rows)))
        (local.set $number (i32.const 0))
        (local.set $at (local.get $face))
        (local.set $position (local.get $row))
        (block $all
          (loop $pairs
            (br_if $all (i32.ge_s (i32.add (local.get $number) (i32.const 1)) (local.get $faces)))
            (local.set $out
              (call $two (local.get $at) (local.get $block) (local.get $dims) (local.get $position)
                (i32.add (local.get $position) (local.get $rows))
                (i32.sub (local.get $rows) (local.get $row)) (local.get $floor) (local.get $out)))
            (local.set $number (i32.add (local.get $number) (i32.const 2)))
            (local.set $at (i32.add (local.get $at) (i32.shl (local.get $dims) (i32.const 3))))
            (local.set $position (i32.add (local.get $position) (i32.shl (local.get $rows) (i32.const 1))))
            (br $pairs)))
        (if (i32.lt_s (local.get $number) (local.get $faces))
          (then
            (local.set $out
              (call $one (local.get $at) (local.get $block) (local.get $dims) (local.get $position)
                (i32.sub (local.get $rows) (local.get $row)) (local.get $floor) (local.get $out)))))
        (local.set $row (i32.add (local.get $row) (i32.const 16)))
        (local.set $block (i32.add (local.get $block) (i32.shl (local.get $dims) (i32.const 6))))
        (br $blocks)))
    (i32.shr_u (i32.sub (local.get $out) (local.get $start)) (i32.const 3))))
