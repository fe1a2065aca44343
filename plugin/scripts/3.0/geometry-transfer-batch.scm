; SPDX-License-Identifier: GPL-3.0-or-later
; Geometry Transfer on a folder of cases, GIMP 3, from the shell and without a display:
;
;   gimp-console-3.0 -n -f -i --batch-interpreter plug-in-script-fu-eval -b '(begin (load "geometry-transfer-batch.scm")
;       (geometry-transfer-batch "CASES" "OUTPUT" (list "preset" "balanced" "feather" 5)))' --quit
;
; CASES    each folder in it that holds target.*, source.* and mask.* (png, jpg, tif) is a case; the mask is white where the source
;          shows the geometry, and both lie on the target with the same top left
; OUTPUT   gets NAME.png, the picture, and NAME.xcf, its layers with the selection; and report.txt, a line "NAME ok" or "NAME failed"
;          for each case. GIMP exits with 0 when all went well, else with 70
; the list names and values of the arguments that are not to be at their defaults (those of plug-in-geometry-transfer). For a word
;          that an argument does not know ("preset" "instamt") GIMP 3.0 prints a warning and takes the default
;
; One transfer, in a script of your own; further references are their layers' numbers, geometry or texture, and a weight:
;
;   (geometry-transfer image target source
;     (list "preset" "draft" "references" (string-append (number->string hole) " geometry 1; " (number->string wood) " texture 0.5")))

; ("preset" "instant") -> (#:preset "instant"); only the reader makes such names
(define (geometry-transfer-named settings)
  (if (null? settings)
      '()
      (cons (read (open-input-string (string-append "#:" (car settings) " ")))
            (cons (cadr settings) (geometry-transfer-named (cddr settings))))))

; (geometry-transfer image target source (list "preset" "instant")) -> the new layer
(define (geometry-transfer image target source settings)
  (car (apply plug-in-geometry-transfer
              (geometry-transfer-named (append (list "run-mode" RUN-NONINTERACTIVE "image" image "drawables" (vector target)
                                                     "source" source)
                                               settings)))))

; The first of name.png, name.jpg ... that is there, or #f.
(define (geometry-transfer-picture folder name)
  (let loop ((endings '("png" "jpg" "jpeg" "tif" "tiff")))
    (if (null? endings)
        #f
        (let ((path (string-append folder "/" name "." (car endings))))
          (if (file-exists? path) path (loop (cdr endings)))))))

; Replaces the selection by a picture's grey values times its opacity: laid on black, for the component is taken from all layers together.
(define (geometry-transfer-select image path)
  (let ((layer (car (gimp-file-load-layer RUN-NONINTERACTIVE image path))))
    (gimp-image-insert-layer image layer 0 0)
    (gimp-layer-set-composite-space layer LAYER-COLOR-SPACE-RGB-NON-LINEAR)
    (gimp-context-push)
    (gimp-context-set-background '(0 0 0))
    (gimp-layer-flatten layer)
    (gimp-context-pop)
    (let ((channel (car (gimp-channel-new-from-component
                         image (if (= (car (gimp-image-get-base-type image)) GRAY) CHANNEL-GRAY CHANNEL-RED) "mask"))))
      (gimp-image-insert-channel image channel 0 0)
      (gimp-image-select-item image CHANNEL-OP-REPLACE channel)
      (gimp-image-remove-channel image channel)
      (gimp-image-select-rectangle image CHANNEL-OP-INTERSECT 0 0
                                   (car (gimp-drawable-get-width layer)) (car (gimp-drawable-get-height layer)))
      (gimp-image-remove-layer image layer))))

(define (geometry-transfer-case folder output name settings)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE (geometry-transfer-picture folder "target"))))
         (target (vector-ref (car (gimp-image-get-layers image)) 0))
         (source (car (gimp-file-load-layer RUN-NONINTERACTIVE image (geometry-transfer-picture folder "source"))))
         (file (string-append output "/" name)))
    (gimp-image-insert-layer image source 0 1)
    (geometry-transfer-select image (geometry-transfer-picture folder "mask"))
    (let ((layer (catch #f (geometry-transfer image target source settings))))
      (if layer
          (begin
            (gimp-item-set-visible source FALSE)
            (gimp-file-save RUN-NONINTERACTIVE image (string-append file ".xcf"))
            (gimp-selection-none image)
            (gimp-image-flatten image)
            (gimp-file-save RUN-NONINTERACTIVE image (string-append file ".png"))))
      (gimp-image-delete image)
      (if layer #t #f))))

(define (geometry-transfer-folders path)
  (let ((stream (dir-open-stream path)))
    (let loop ((names '()))
      (let ((name (dir-read-entry stream)))
        (if (eof-object? name)
            (begin (dir-close-stream stream) names)
            (loop (if (and (not (string=? (substring name 0 1) "."))
                           (geometry-transfer-picture (string-append path "/" name) "target")
                           (geometry-transfer-picture (string-append path "/" name) "source")
                           (geometry-transfer-picture (string-append path "/" name) "mask"))
                      (cons name names)
                      names)))))))

; Raises an error at the end when a case failed.
(define (geometry-transfer-batch cases output settings)
  (let ((report (open-output-file (string-append output "/report.txt"))))
    (let loop ((names (geometry-transfer-folders cases)) (failed 0))
      (if (null? names)
          (begin
            (close-output-port report)
            (if (> failed 0) (error "Geometry Transfer: cases that failed:" failed)))
          (let ((done (catch #f (geometry-transfer-case (string-append cases "/" (car names)) output (car names) settings))))
            (display (string-append (car names) (if done " ok\n" " failed\n")) report)
            (loop (cdr names) (if done failed (+ failed 1))))))))
