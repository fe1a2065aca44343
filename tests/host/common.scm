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
