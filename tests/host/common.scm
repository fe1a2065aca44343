; SPDX-License-Identifier: GPL-3.0-or-later
; After lib-*.scm: what the tests ask, in the same words for both. FOLDER is set by the test.

; One line of the answer: [case] key value ...
(define (text x)
  (cond ((string? x) x)
        ((number? x) (number->string x))
        ((eq? x #t) "yes")
        ((eq? x #f) "no")
        ((null? x) "")
        ((pair? x) (string-append (text (car x)) (if (null? (cdr x)) "" " ") (text (cdr x))))
        (else "?")))
(define (say key . values) (gimp-message (string-append "GT " key " " (text values))))
(define (file name) (string-append FOLDER "/" name))

; A case's own errors do not stop the others.
(define (run-case name job)
  (say "case" name)
  (say "finished" (if (catch #f (job) #t) "yes" "no")))

; target.png with source.png below it, shifted so, and the selection mask.png; all in the wanted precision.
(define (scene x y)
  (let* ((image (open-image (file "target.png")))
         (target (car (layers image)))
         (source (open-layer image (file "source.png"))))
    (gimp-item-set-name target "wall")
    (gimp-image-insert-layer image source 0 1)
    (gimp-item-set-name source "dent")
    (geometry-transfer-select image (file "mask.png"))
    (gimp-layer-set-offsets source x y)
    (gimp-selection-translate image x y)
    image))
(define (target-of image) (car (layers image)))
(define (source-of image) (cadr (layers image)))
(define (named image name)
  (let loop ((left (layers image)))
    (if (equal? (car (gimp-item-get-name (car left))) name) (car left) (loop (cdr left)))))

; What can be seen of the layers, from top to bottom.
(define (describe image items)
  (for-each (lambda (item)
              (say "layer" (car (gimp-item-get-name item)))
              (if (group? item) (describe image (children item))))
            items))

(define (report-result image layer)
  (let ((at (offsets layer)))
    (say "name" (car (gimp-item-get-name layer)))
    (say "area" (car at) (cadr at) (width layer) (height layer))
    (say "active" (if (= layer (active image)) #t #f))
    (say "parent" (if (> (parent layer) 0) (car (gimp-item-get-name (parent layer))) "none"))
    (say "position" (position image layer))
    (say "dirty" (dirty? image))))

; The picture as 16-bit sRGB; the image is spent.
(define (export image name)
  (if (= (base-type image) GRAY) (gimp-image-convert-rgb image))
  (catch #f (gimp-image-convert-precision image u16)) ; refused when it is that already
  (convert-profile image (file "srgb.icc"))
  (gimp-selection-none image)
  (save image (file name)))

; What must be the same after a refusal, in one line: kind, selection, layers with their places and pixels.
(define (statistics drawable) (let ((found (catch #f (gimp-drawable-histogram drawable HISTOGRAM-VALUE 0 1)))) (if found found "none")))
(define (state-of items)
  (map (lambda (item)
         (list (car (gimp-item-get-name item)) (offsets item) (width item) (height item) (car (gimp-item-get-visible item))
               (statistics item) (if (group? item) (state-of (children item)) '())))
       items))
(define (selection-state image)
  (list (gimp-selection-bounds image) (statistics (car (gimp-image-get-selection image)))))

; The odd images: TARGET and SOURCE are files, the selection a rectangle.
(define (pair target source x y wide high)
  (let* ((image (open-image (file target))) (layer (open-layer image (file source))))
    (gimp-item-set-name (car (layers image)) "wall")
    (gimp-image-insert-layer image layer 0 1)
    (gimp-item-set-name layer "dent")
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x y wide high)
    image))

; Calls `transfer` on an image that `prepare` changed, and says what can be seen before and after.
(define (odd-case name image prepare transfer finish)
  (run-case name (lambda ()
    (prepare image)
    (activate image (target-of image))
    (clean image)
    (let ((count (length (layers image))))
      (say "before" (state-of (layers image)))
      (say "selected" (selection-state image))
      (say "answer" (if (catch #f (transfer image) #t) "works" "refused"))
      (say "added" (- (length (layers image)) count))
      (say "selected-after" (selection-state image))
      (say "active" (car (gimp-item-get-name (active image))))
      (say "dirty" (dirty? image))
      (say "after" (state-of (layers image)))
      (finish image)
      (gimp-image-delete image)))))
